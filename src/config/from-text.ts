import { usage } from '../message/fields.js';
import type { SmtpOptions } from './options.js';

/** A port in words. @param what names where it stood, in an error that does not show it. */
export const portOf = (text: string, what: string): number => {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw usage(`The ${what} must be a port in digits alone, 1 to 65535.`);
};

/** `tls`, `auto`, a mode, or a list of modes between commas; what is none of these is refused with the option. */
export const securityOf = (text: string): NonNullable<SmtpOptions['security']> => (text.includes(',') ? text.split(',') : text) as NonNullable<SmtpOptions['security']>;
