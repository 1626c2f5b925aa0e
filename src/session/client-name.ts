import { hostname } from 'node:os';
import type { Endpoint } from '../protocol/connection-plan.js';

const FULL_NAME = /^(?=.{1,255}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/i;

let ownName: string | undefined;

/** The argument of EHLO where none was given: this host's full name, or its address as a literal (RFC 5321 section 4.1.4). */
export const defaultClientName = (local: Endpoint, name = (ownName ??= hostname())): string => {
  if (FULL_NAME.test(name)) return name;
  const address = local.address.replace(/^::ffff:(?=\d+\.)/i, '').split('%', 1)[0] ?? '';
  if (address === '') return '[127.0.0.1]';
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
};
