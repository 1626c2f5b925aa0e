import { usage } from '../message/fields.js';
import { ownValue } from '../protocol/bare.js';

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A setting with each `${NAME}` in it replaced by that variable's value; `$${` stands for `${` itself.
 * @throws SmtpUsageError naming the variable that is not set, and the setting that asks for it.
 */
export const expand = (value: string, setting: string, env: Environment): string =>
  value.replace(/\$\$\{|\$\{(\w*)(\}?)/g, (_, name: string | undefined, end: string) => {
    if (name === undefined) return '${';
    if (name === '' || end === '') throw usage(`The ${setting} holds a "\${" that begins no \${NAME} of an environment variable. Write "$\${" where "\${" itself is meant.`);
    const filled = ownValue(env, name);
    if (filled === undefined) throw usage(`The ${setting} asks for the environment variable ${name}, which is not set. Set it, or write "$\${" where "\${" itself is meant.`);
    return filled;
  });
