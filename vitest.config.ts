import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/closing-line-reporter.js';
import { WITH_THE_PROOFS } from './vitest.proof.config.js';

export default defineConfig({
  test: {
    include: ['{core,platform,ingest,transforms,billing,partners,sales,api,cli,fixtures,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/proof/**', ...WITH_THE_PROOFS],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 240_000,
    reporters: ['default', new ClosingLineReporter()],
    pool: 'forks',
    maxWorkers: 2,
  },
});
