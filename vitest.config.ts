import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{core,platform,ingest,transforms,billing,partners,sales,api,cli,fixtures,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/proof/**'],
    testTimeout: 60_000,
    hookTimeout: 240_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
