import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const src = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^rxsmtp$/, replacement: src('index.ts') },
      { find: /^rxsmtp\/config$/, replacement: src('config/index.ts') },
      { find: /^rxsmtp\/testing$/, replacement: src('testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**'],
    environment: 'node',
    pool: 'forks',
    testTimeout: 15_000,
    // Who waits for something that has no event looks at it often, and not for a second only.
    expect: { poll: { interval: 1, timeout: 10_000 } },
    // What one test puts in the place of something else is no matter for the next.
    restoreMocks: true,
    unstubEnvs: true,
    // Real sockets on a machine that is shared: there, what fails must fail twice.
    retry: process.env.CI === undefined ? 0 : 1,
    coverage: { include: ['src/**/*.ts'] },
  },
});
