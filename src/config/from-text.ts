import type { SmtpOptions } from './options.js';

/** A port in words; what is no number is refused with the option. */
export const portOf = (text: string): number => (/^\d{1,5}$/.test(text) ? Number(text) : NaN);

/** `tls`, `auto`, a mode, or a list of modes between commas; what is none of these is refused with the option. */
export const securityOf = (text: string): NonNullable<SmtpOptions['security']> => (text.includes(',') ? text.split(',') : text) as NonNullable<SmtpOptions['security']>;
