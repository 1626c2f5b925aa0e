import { oneOrMore, unlike, usage } from '../message/fields.js';

const refuse = (value: unknown, name: string, must: string): never => {
  throw unlike(`The option "${name}"`, must, value);
};

/** Variables and settings files hold text where a number or a flag is due. */
const refuseText = (value: unknown, name: string, must: string): never => refuse(value, name, typeof value === 'string' ? `${must}, and no text` : must);

/** Text that is not empty, stays on one line and has a form in UTF-8. */
export const text = (value: unknown, name: string): string => {
  if (typeof value !== 'string') return refuse(value, name, 'a string');
  if (value !== '' && !/[\r\n\0]|\p{Cs}/u.test(value)) return value;
  throw usage(`The option "${name}" ${value === '' ? 'must not be empty' : 'must not hold a line break, NUL or half a character'}.`);
};

export const flag = (value: unknown, name: string): boolean => (typeof value === 'boolean' ? value : refuseText(value, name, 'true or false'));

const portFrom = (least: number) => (value: unknown, name: string): number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= 65_535 ? (value as number) : refuseText(value, name, `a port, ${least} to 65535`);

export const port = portFrom(1);

/** 0 is any that is free. */
export const localPort = portFrom(0);

export const count = (value: unknown, name: string): number =>
  Number.isSafeInteger(value) && (value as number) >= 1 ? (value as number) : refuseText(value, name, 'a whole number above zero');

export const countOrForever = (value: unknown, name: string): number => (value === Infinity ? Infinity : count(value, name));

/** Milliseconds. */
export const duration = (value: unknown, name: string): number =>
  typeof value === 'number' && value > 0 && value < Infinity ? value : refuseText(value, name, 'a finite number of milliseconds above zero');

export const durationOrForever = (value: unknown, name: string): number =>
  typeof value === 'number' && value > 0 ? value : refuseText(value, name, 'a number of milliseconds above zero, or Infinity');

export const oneOf = <T extends string>(known: readonly T[]) => (value: unknown, name: string): T =>
  known.find((word) => word === value) ?? refuse(value, name, known.map((word) => `"${word}"`).join(' or '));

/** A list that is not empty and holds nothing twice. */
export const list = <T>(check: (value: unknown, name: string) => T) => (value: unknown, name: string): readonly T[] => {
  if (!Array.isArray(value) || value.length === 0) return refuse(value, name, 'a list with at least one entry');
  const entries = oneOrMore(check)(value, name);
  return new Set(entries).size === entries.length ? entries : refuse(value, name, 'a list that holds nothing twice');
};
