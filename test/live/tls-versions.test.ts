import { expect, it, vi } from 'vitest';
import { SmtpClient, type SmtpOptions } from '../../src/index.js';
import { localhostCertificate, startServer } from '../../src/testing/index.js';
import type * as Versions from '../../src/transport/tls-versions.js';
import { collect, eventOf } from '../support/collect.js';
import { startProxy } from '../support/fake-proxy.js';

// A runtime that was built without TLS 1.0 and 1.1.
vi.mock('../../src/transport/tls-versions.js', async (original) => {
  const real = await original<typeof Versions>();
  const usableVersions: typeof Versions.usableVersions = (listed, strict, name) => real.usableVersions(listed, strict, name, (version) => version >= 'TLSv1.2');
  return { ...real, usableVersions };
});

const ALL = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

it.each(['implicit', 'starttls'] as const)('leaves out what the runtime cannot do, and says so, over %s', async (tls) => {
  await using server = await startServer({ tls });
  await using client = new SmtpClient({ host: 'localhost', port: server.port, security: tls, tls: { ca: server.ca, versions: ALL } });
  const told = await collect(client.verify());
  expect(eventOf(told, 'warning')).toMatchObject({ code: 'W_TLS_VERSION', message: 'tls.versions names TLSv1, TLSv1.1, which this runtime cannot do: left out. Offered: TLSv1.2, TLSv1.3.' });
  expect(told.types.indexOf('warning')).toBeLessThan(told.types.indexOf('secured'));
  expect(told.types.at(-1)).toBe('ready');
});

it('says so of a proxy, and which', async () => {
  await using server = await startServer({ tls: 'none' });
  await using proxy = await startProxy({ protocol: 'https', certificate: localhostCertificate });
  await using client = new SmtpClient({ host: '127.0.0.1', port: server.port, security: 'none', proxy: { protocol: 'https', host: '127.0.0.1', port: proxy.port, tls: { ca: server.ca, versions: ALL } } });
  const { events } = await collect(client.verify());
  expect(events.filter(({ type }) => type === 'warning')).toEqual([
    { type: 'warning', code: 'W_TLS_VERSION', message: `tls.versions of the proxy ${proxy.url} names TLSv1, TLSv1.1, which this runtime cannot do: left out. Offered: TLSv1.2, TLSv1.3.` },
  ]);
});

it('has nothing to say where no TLS is spoken', async () => {
  await using server = await startServer({ tls: 'none' });
  await using client = new SmtpClient({ host: 'localhost', port: server.port, security: 'none', tls: { versions: ALL } });
  expect((await collect(client.verify())).types).not.toContain('warning');
});

it.each<[string, NonNullable<SmtpOptions['tls']>]>([
  ['strict', { versions: ALL, strictVersions: true }],
  ['nothing is left', { versions: ['TLSv1', 'TLSv1.1'] }],
])('refuses the options before a socket opens: %s', (_title, tls) => {
  for (const [name, options] of [['tls', { tls }], ['proxy.tls', { proxy: { protocol: 'https', host: 'localhost', tls } }]] as const)
    expect(() => new SmtpClient({ host: 'localhost', ...options })).toThrow(expect.objectContaining({ code: 'E_USAGE', phase: 'options', message: expect.stringContaining(`"${name}.versions" names TLSv1, TLSv1.1`) as string }) as Error);
});
