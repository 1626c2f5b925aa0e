import { rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import type { Daemon } from './machine/daemon.js';
import { HOME } from './machine/home.js';
import { install } from './machine/packages.js';
import { PROXIES } from './proxies/all.js';
import { SERVERS } from './servers/all.js';
import { writeCertificates } from './servers/certificates.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why a server or proxy does not run, by its name. */
    readonly broken: Readonly<Record<string, string>>;
  }
}

/** Starts every server side by side; gives what stops them. One that cannot start fails its own tests only. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const running: Daemon[] = [];
  const broken: Record<string, string> = {};
  const all = [...SERVERS, ...PROXIES];
  const start = async (each: (typeof all)[number]): Promise<void> => {
    try {
      running.push(await each.start());
    } catch (error) {
      broken[each.name] = (error as Error).message;
    }
  };
  const begunAt = Date.now();
  const seconds = (): string => ((Date.now() - begunAt) / 1000).toFixed(1);

  await install([...new Set(all.flatMap(({ packages }) => packages))]);
  console.log(`Installed after ${seconds()} s`);
  writeCertificates();
  await Promise.all(all.map(start));
  console.log(`${running.length} of ${all.length} servers run after ${seconds()} s, below ${HOME}`);
  for (const [name, reason] of Object.entries(broken)) console.error(`${name} does not run: ${reason}`);
  project.provide('broken', broken);

  return async () => {
    await Promise.all(running.map((daemon) => daemon.stop()));
    rmSync(HOME, { recursive: true, force: true, maxRetries: 10 });
  };
};
