import { defineConfig } from 'vitest/config';
import { obstacle } from './test/interop/machine/obstacle.js';
import base from './vitest.config.js';

const why = obstacle();
if (why !== undefined) console.log(`Skipped: ${why}.`);

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: why === undefined ? ['test/interop/**/*.test.ts'] : [],
    exclude: [],
    passWithNoTests: true,
    globalSetup: why === undefined ? ['test/interop/setup.ts'] : [],
    testTimeout: 30_000,
  },
});
