import { beforeAll, inject } from 'vitest';
import { SmtpClient, type SmtpOptions } from '../../../src/index.js';
import { ANN } from '../servers/accounts.js';
import { TRUSTED } from '../servers/certificates.js';
import type { Door } from '../servers/server.js';

/** The tests of this block need these to run, and fail with the reason where one does not. */
export const needs = (...all: readonly { readonly name: string }[]): void => {
  beforeAll(() => {
    const broken = inject('broken');
    const reason = all.map(({ name }) => broken[name]).find((each) => each !== undefined);
    if (reason !== undefined) throw new Error(reason);
  });
};

export const clientFor = ({ port, security, needsAuth }: Door, more: Partial<SmtpOptions> = {}): SmtpClient =>
  new SmtpClient({ host: 'localhost', port, security, tls: { ca: TRUSTED }, clientName: 'client.interop.test', ...(needsAuth === true ? { auth: ANN } : {}), ...more });

/** A row for each door, to be read in the name of a test. */
export const rows = ({ doors }: { readonly doors: readonly Door[] }): readonly (readonly [port: number, security: string, door: Door])[] =>
  doors.map((door) => [door.port, door.security, door] as const);
