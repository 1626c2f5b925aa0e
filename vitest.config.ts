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
    // Real sockets on a machine that is shared: there, what fails must fail twice.
    retry: process.env.CI === undefined ? 0 : 1,
    coverage: { include: ['src/**/*.ts'] },
  },
});
