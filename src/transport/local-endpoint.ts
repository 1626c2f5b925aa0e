import { isIP } from 'node:net';
import { isPromise } from 'node:util/types';
import type { Endpoint } from '../protocol/connection-plan.js';
import { reasonOf, sentence, SmtpUsageError } from '../protocol/error.js';
import type { LocalBinding, LocalEndpoint } from './settings.js';

/** The end on this side of a connection to `remote`. */
export const bindingFor = (local: LocalEndpoint | undefined, remote: Endpoint): LocalBinding => {
  if (local === undefined) return {};
  if (typeof local === 'string') return { address: local };
  return typeof local === 'function' ? chosen(local, remote) : local;
};

const chosen = (choose: (remote: Endpoint) => LocalBinding, remote: Endpoint): LocalBinding => {
  let binding: unknown;
  try {
    binding = choose(remote);
  } catch (cause) {
    throw new SmtpUsageError({ phase: 'connect', cause, message: `The function in the option "localEndpoint" failed: ${sentence(reasonOf(cause))}` });
  }
  if (isPromise(binding)) binding.catch(() => undefined);
  if (!isBinding(binding)) throw new SmtpUsageError({ phase: 'connect', message: 'The function in the option "localEndpoint" must return an object, no promise, that holds an IP address of this machine in "address", a port from 0 to 65535 in "port", or both, and nothing else.' });
  return binding;
};

const isBinding = (value: unknown): value is LocalBinding => {
  if (typeof value !== 'object' || value === null || 'then' in value) return false;
  const { address, port, ...others } = value as Partial<Record<keyof LocalBinding, unknown>>;
  // A typing error must not let the system choose.
  return Object.keys(others).length === 0
    && (address === undefined || (typeof address === 'string' && isIP(address) !== 0))
    && (port === undefined || (Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535));
};
