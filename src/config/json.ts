import { usage } from '../message/fields.js';
import { settings, type SmtpOptions } from './options.js';

/**
 * Options of a JSON text; a `from` beside them becomes `defaults.from`.
 * @throws SmtpUsageError naming the option that cannot be used; it never shows the text.
 */
export const fromJson = (text: string): SmtpOptions => {
  const given = parse(text);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw usage('The JSON text must hold an object with options.');
  // A copy of own entries one by one: `__proto__` stays a name among others, and is refused as one.
  const entries = Object.entries(given);
  const from: unknown = entries.find(([name]) => name === 'from')?.[1];
  const hasDefaults = Object.hasOwn(given, 'defaults');
  if (from !== undefined && hasDefaults) throw usage('The options "from" and "defaults" say the same thing; leave one.');
  const options = Object.fromEntries([...entries.filter(([name]) => name !== 'from'), ...(from === undefined ? [] : [['defaults', { from }]])]) as unknown as SmtpOptions;
  settings(options);
  return options;
};

const parse = (text: unknown): unknown => {
  try {
    return JSON.parse(text as string);
  } catch {
    // The parser's own message shows a piece of the text.
    throw usage('The options are not valid JSON.');
  }
};
