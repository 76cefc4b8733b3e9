import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // One process a file: the ClickHouse engine and LMDB want a process and a data folder of their own.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { include: ['cli/**', 'platform/**', 'services/**'], reporter: ['text-summary', 'lcovonly'] },
  },
});
