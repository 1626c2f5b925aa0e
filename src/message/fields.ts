import { isPromise } from 'node:util/types';
import { isObservable } from 'rxjs';
import { Own, ownValue } from '../protocol/bare.js';
import { SmtpUsageError } from '../protocol/error.js';
import { printable } from '../protocol/printable.js';

/** An error about what the caller gave. Its text names the field and never shows the value, which may be a secret. */
export const usage = (message: string): SmtpUsageError => new SmtpUsageError({ message });

/** The error about a value of another kind. */
export const unlike = (what: string, must: string, value: unknown): SmtpUsageError => usage(value === undefined ? `${what} is missing.` : `${what} must be ${must}${instead(value)}.`);

/** What is often given where something else is due. */
const instead = (value: unknown): string => {
  if (value === undefined) return ', and not undefined';
  if (isPromise(value)) return ', and no promise: await it';
  if (value instanceof URL) return ', and no instance of URL: give its "href"';
  return isObservable(value) ? ', and no Observable' : '';
};

/** What an object holds under the names that were asked for, unchecked. */
export type Fields<K extends string> = Readonly<Partial<Record<K, unknown>>>;

interface FieldRules<K extends string> {
  /** Where the object stands: `tls`, `attachments[0]`; empty at the top. */
  readonly path: string;
  /** What a field is called in errors: "option", "field". */
  readonly noun: string;
  /** Whose fields they are, where the object is an argument of its own. */
  readonly of?: string;
  readonly known: readonly K[];
  /** What it may be instead of an object: "or false". */
  readonly or?: string;
  /** Keys that are known and refused, and why. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** What holds its content elsewhere, a list, a Map, Headers or a Date, would count as empty. */
export const isPlain = (value: unknown): value is object => typeof value === 'object' && value !== null && PLAIN.has(Object.prototype.toString.call(value));

// A configuration may be a module of its own.
const PLAIN: ReadonlySet<string> = new Set(['[object Object]', '[object Module]']);

/**
 * The own fields of an object, each read once into an object that inherits nothing; `undefined` counts as absent.
 * A key that is not known is refused, so neither a typing error nor `__proto__` passes, and what a prototype holds is never seen.
 */
export const fields = <K extends string>(value: unknown, rules: FieldRules<K>): Fields<K> => {
  const { path, noun, known, refused } = rules;
  if (!isPlain(value)) throw noObject(value, rules);
  const given = value as Readonly<Record<string, unknown>>;
  const own = new Own() as Partial<Record<K, unknown>>;
  for (const key in given) {
    if (!Object.hasOwn(given, key)) continue;
    const field = given[key];
    const refusal = refused === undefined ? undefined : ownValue(refused, key);
    if (refusal === undefined && !(known as readonly string[]).includes(key)) throw isObservable(value) ? noObject(value, rules) : unknown(key, rules);
    if (field === undefined) continue;
    if (refusal !== undefined) throw usage(`The ${noun} "${shown(key, path)}" ${refusal}`);
    own[key as K] = field;
  }
  return own;
};

const unknown = (key: string, { path, noun, known }: FieldRules<string>): SmtpUsageError =>
  usage(`Unknown ${noun} "${shown(key, path)}".${didYouMean(key, known, path) || ` Known: ${known.join(', ')}.`}`);

const noObject = (value: unknown, { path, noun, of, or }: FieldRules<string>): SmtpUsageError => {
  const must = `an object${or === undefined ? '' : ` ${or}`}`;
  return path === '' ? usage(`The ${noun}s${of === undefined ? '' : ` of ${of}`} must be ${must}${instead(value)}.`) : unlike(`The ${noun} "${path}"`, must, value);
};

/** A check for one value, or a list of them. */
export const oneOrMore = <T>(check: (value: unknown, name: string) => T) => (value: unknown, name: string): readonly T[] =>
  Array.isArray(value) ? Array.from(value as readonly unknown[], (one, index) => check(one, `${name}[${String(index)}]`)) : [check(value, name)];

/** A check for what may be left out. */
export const optional = <T>(check: (value: unknown, name: string) => T) => (value: unknown, name: string): T | undefined =>
  value === undefined ? undefined : check(value, name);

/** A name that somebody gave, as it can be shown. */
export const shown = (key: string, path = ''): string => nameOf(path, printable(key.slice(0, 64)));

export const nameOf = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** Asks whether a known name was meant, behind a sentence; empty where none is like it. */
export const didYouMean = (given: string, known: readonly string[], path = ''): string => {
  const meant = likest(given, known);
  return meant === undefined ? '' : ` Did you mean "${nameOf(path, meant)}"?`;
};

/** A letter away, or two behind the first one, or one begins with the other. */
const likest = (given: string, known: readonly string[]): string | undefined => {
  const typed = given.toLowerCase();
  if (typed.length > 40) return undefined;
  const [best] = known
    .map((name) => ({ name, far: distance(typed, name.toLowerCase()) }))
    .filter(({ name, far }) => far <= Math.min(name[0]?.toLowerCase() === typed[0] ? 2 : 1, name.length - 1))
    .sort((a, b) => a.far - b.far);
  return best?.name ?? known.find((name) => typed.length > 1 && (name.toLowerCase().startsWith(typed) || typed.startsWith(name.toLowerCase())));
};

/** How many letters must be put in, taken out, changed, or swapped with their neighbour. */
const distance = (from: string, to: string): number => {
  let above: readonly number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 0; line < from.length; line += 1) {
    const before = above;
    above = row;
    row = [line + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const isSwapped = line > 0 && column > 1 && from[line] === to[column - 2] && from[line - 1] === to[column - 1];
      const swapped = isSwapped ? (before[column - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min((above[column] ?? 0) + 1, (row[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + (to[column - 1] === from[line] ? 0 : 1), swapped));
    }
  }
  return row[to.length] ?? 0;
};
