import { MAIL } from './clear-client.js';

/** So many addresses, each at a domain by its place. */
export const people = (count: number, domainOf: (index: number) => string = () => 'example.org'): string[] =>
  Array.from({ length: count }, (_, index) => `user${String(index)}@${domainOf(index)}`);

/** A mail to these, small where nothing else is given. */
export const mailTo = <T = string>(to: readonly string[], raw: T | string = MAIL.raw): { readonly envelope: { readonly from: string; readonly to: readonly string[] }; readonly raw: T | string } =>
  ({ envelope: { from: 'ann@example.com', to }, raw });
