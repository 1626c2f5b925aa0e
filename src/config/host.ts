import { domainToASCII } from 'node:url';
import { unlike, usage } from '../message/fields.js';
import { IPV4, LABEL } from '../protocol/address.js';

const isName = (host: string): boolean => host.length <= 253 && host.split('.').every((label) => LABEL.test(label));

// No name is longer, with brackets and the root's dot. Reading one can take a time that grows with the square of its length.
const LONGEST = 256;

/** Empty where it is no name. */
export const aLabels = (name: string): string => (name.length > LONGEST ? '' : domainToASCII(name));

const A_HOST = 'a host name or an IP address';

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/:\/\//, ' A URL is no host: write only its host here, or give the URL in place of all options.'],
  [/[\s"']/, ' It holds a blank or a quotation mark.'],
  [/:/, ' The port is an option of its own.'],
];

/** A host as the resolver and certificates know it: A-labels, lower case, without brackets and the root's dot. */
export const hostName = (value: unknown, name: string): string => {
  if (typeof value !== 'string') throw unlike(`The option "${name}"`, A_HOST, value);
  const given = value.replace(/^\[(.*)\]$/, '$1');
  if (isAddress(given)) return given.toLowerCase();
  const host = /[\s%/?#@:\\]/.test(given) ? '' : aLabels(given).replace(/\.$/, '');
  if (isName(host)) return host;
  const [, hint = ''] = HINTS.find(([pattern]) => pattern.test(given)) ?? [];
  throw usage(`The option "${name}" must be ${A_HOST}.${hint}`);
};

export const isAddress = (text: string): boolean =>
  text.length <= LONGEST && (IPV4.test(text) || (/^[0-9a-f:.]*:[0-9a-f:.]*(?:%[\w.~-]+)?$/i.test(text) && URL.canParse(`http://[${text.replace(/%.*$/, '')}]/`)));

/** This machine itself, as far as the name tells. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || (IPV4.test(host) && host.startsWith('127.')) || (isAddress(host) && /^\[::(?:1|ffff:7f..:.*)\]$/.test(canonical(host)));

/** One of the many ways to write an IPv6 address. */
const canonical = (address: string): string => (address.includes(':') && !address.includes('%') ? new URL(`http://[${address}]`).hostname : address);
