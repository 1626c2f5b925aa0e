import { oneOrMore, usage } from '../message/fields.js';

const refuse = (name: string, must: string): never => {
  throw usage(`The option "${name}" must be ${must}.`);
};

/** Text that is not empty, stays on one line and has a form in UTF-8. */
export const text = (value: unknown, name: string): string =>
  typeof value === 'string' && value !== '' && !/[\r\n\0]|\p{Cs}/u.test(value) ? value : refuse(name, 'a string that is not empty and holds no line break, NUL or half a character');

export const flag = (value: unknown, name: string): boolean => (typeof value === 'boolean' ? value : refuse(name, 'true or false'));

const portFrom = (least: number) => (value: unknown, name: string): number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= 65_535 ? (value as number) : refuse(name, `a port, ${least} to 65535`);

export const port = portFrom(1);

/** 0 is any that is free. */
export const localPort = portFrom(0);

export const count = (value: unknown, name: string): number =>
  Number.isSafeInteger(value) && (value as number) >= 1 ? (value as number) : refuse(name, 'a whole number above zero');

export const countOrForever = (value: unknown, name: string): number => (value === Infinity ? Infinity : count(value, name));

/** Milliseconds. */
export const duration = (value: unknown, name: string): number =>
  typeof value === 'number' && value > 0 && value < Infinity ? value : refuse(name, 'a finite number of milliseconds above zero');

export const durationOrForever = (value: unknown, name: string): number =>
  typeof value === 'number' && value > 0 ? value : refuse(name, 'a number of milliseconds above zero, or Infinity');

export const oneOf = <T extends string>(known: readonly T[]) => (value: unknown, name: string): T =>
  known.find((word) => word === value) ?? refuse(name, known.map((word) => `"${word}"`).join(' or '));

/** A list that is not empty and holds nothing twice. */
export const list = <T>(check: (value: unknown, name: string) => T) => (value: unknown, name: string): readonly T[] => {
  if (!Array.isArray(value) || value.length === 0) return refuse(name, 'a list with at least one entry');
  const entries = oneOrMore(check)(value, name);
  return new Set(entries).size === entries.length ? entries : refuse(name, 'a list that holds nothing twice');
};
