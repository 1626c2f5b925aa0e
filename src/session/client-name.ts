import { hostname } from 'node:os';
import type { Endpoint } from '../protocol/connection-plan.js';

// The last label begins with a letter: what ends in a number would be read as an IP address.
const FULL_NAME = /^(?=.{1,255}$)(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?$/i;

let ownName: string | undefined;

/** Empty where the system does not tell it. */
const nameOfHost = (): string => {
  try {
    return hostname();
  } catch {
    return '';
  }
};

/** The argument of EHLO where none was given: this host's full name, or its address as a literal (RFC 5321 section 4.1.4). */
export const defaultClientName = (local: Endpoint, name = (ownName ??= nameOfHost())): string => {
  if (FULL_NAME.test(name)) return name;
  const address = local.address.replace(/^::ffff:(?=\d+\.)/i, '').split('%', 1)[0] ?? '';
  if (address === '') return '[127.0.0.1]';
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
};
