import { parseArgs, type ParseArgsConfig } from 'node:util';
import { usage } from '../message/fields.js';
import { reasonOf } from '../protocol/error.js';

export const NEVER_IN_ARGUMENTS =
  'A password in the arguments is refused: every user of this machine can read them (ps), and the shell keeps them in its history. Give it when asked, with --password-file FILE, or in the environment variable RXSMTP_PASSWORD.';

/** What the flags of a command were given. */
export type Values<T extends NonNullable<ParseArgsConfig['options']>> = ReturnType<typeof parseArgs<{ readonly args: string[]; readonly options: T; readonly strict: true; readonly allowPositionals: false }>>['values'];

/** The flags of a command; its errors repeat no value, since a value may be a secret in the wrong place. */
export const flags = <T extends NonNullable<ParseArgsConfig['options']>>(argv: readonly string[], options: T): Values<T> => {
  if (argv.some((word) => /^--pass(?:word)?(?:=|$)/.test(word))) throw usage(NEVER_IN_ARGUMENTS);
  try {
    const { values, tokens } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false, tokens: true });
    const given = tokens.flatMap((token) => (token.kind === 'option' && token.value !== undefined && options[token.name]?.multiple !== true ? [token.name] : []));
    const twice = given.find((name, index) => given.indexOf(name) !== index);
    if (twice !== undefined) throw usage(`--${twice} is given twice: leave one.`);
    return values;
  } catch (error) {
    const isStray = error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL';
    throw usage(isStray ? 'There is a word too many. Put a value behind its flag, and quotes around blanks.' : reasonOf(error));
  }
};
