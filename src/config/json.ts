import { fields, shown, usage } from '../message/fields.js';
import { ownValue } from '../protocol/bare.js';
import { AUTH_OPTIONS } from './auth.js';
import { text } from './checks.js';
import { AUTH_ELSEWHERE, NAMED_ELSEWHERE } from './elsewhere.js';
import { expand, type Environment } from './environment.js';
import { checked, OPTIONS, type SmtpOptions } from './options.js';
import { readPasswordFile } from './password-file.js';

/**
 * Options from JSON. A `from` at the top level becomes `defaults.from`; `auth.passwordFile` names a file that holds the
 * password; each `${NAME}` in a string is replaced by that environment variable.
 *
 * ```json
 * { "host": "mail.example.com", "from": "ann@example.com", "auth": { "user": "ann", "pass": "${SMTP_PASSWORD}" } }
 * ```
 * @throws SmtpUsageError naming the option that cannot be used; it never shows the text.
 */
export const fromJson = (source: string, env: Environment = process.env): SmtpOptions => {
  const given = expandAll(parse(source), '', env);
  if (!isObject(given)) throw usage('The JSON text must hold an object with options.');
  return checked(withPassword(withSender(given)) as unknown as SmtpOptions);
};

const parse = (source: unknown): unknown => {
  if (typeof source !== 'string') throw usage('The JSON text must be a string.');
  // Without the byte order mark that some editors put in front.
  const json = source.replace(/^\ufeff/, '');
  try {
    return JSON.parse(json);
  } catch (error) {
    // The parser's own message shows a piece of the text.
    throw usage(`The options are not valid JSON${placeOf(error as SyntaxError, json)}.${/"\s*:\s*\$\{/.test(json) ? ' Write "${NAME}" in quotation marks: it fills in text, and never a number.' : ''}`);
  }
};

/** Where the parser stopped, if it tells. */
const placeOf = ({ message }: SyntaxError, json: string): string => {
  const [, position] = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message) ?? [];
  if (position === undefined) return '';
  const lines = json.slice(0, Number(position)).split('\n');
  return `: see line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
};

type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

// Deeper than any option: what lies below is refused as unknown anyway.
const DEEPEST = 8;

const expandAll = (value: unknown, path: string, env: Environment, depth = 0): unknown => {
  if (typeof value === 'string') return expand(value, `option "${path}"`, env);
  if (depth === DEEPEST) return value;
  if (Array.isArray(value)) return value.map((entry, index) => expandAll(entry, `${path}[${index}]`, env, depth + 1));
  // Entry by entry: `__proto__` stays a name among others, and is refused as one.
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, expandAll(entry, shown(name, path), env, depth + 1)])) : value;
};

/** Takes out a name that only JSON has. One that is like it would be taken for another, "passwordfile" for "pass". */
const take = (own: string, given: JsonObject, path: string, known: readonly string[], refused: Readonly<Record<string, string>>): readonly [unknown, JsonObject] => {
  const { [own]: _, ...others } = given;
  fields(others, { path, noun: 'option', known: [...known, own], refused });
  return [ownValue(given, own), others];
};

const withSender = (given: JsonObject): JsonObject => {
  const [from, others] = take('from', given, '', OPTIONS, NAMED_ELSEWHERE);
  if (from === undefined) return others;
  if (Object.hasOwn(others, 'defaults')) throw usage('The options "from" and "defaults" say the same thing; leave one.');
  return { ...others, defaults: { from: text(from, 'from') } };
};

const withPassword = (given: JsonObject): JsonObject => {
  const auth = ownValue(given, 'auth');
  if (!isObject(auth)) return given;
  const [file, others] = take('passwordFile', auth, 'auth', AUTH_OPTIONS, AUTH_ELSEWHERE);
  if (file === undefined) return given;
  const other = ['pass', 'token', 'external'].find((name) => Object.hasOwn(others, name));
  if (other !== undefined) throw usage(`The options "auth.passwordFile" and "auth.${other}" exclude each other; leave one.`);
  return { ...given, auth: { ...others, pass: readPasswordFile(text(file, 'auth.passwordFile'), 'option "auth.passwordFile"') } };
};
