import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/closing-line-reporter.js';

/** The heavy proofs, whole: one after the other, since what they measure and kill is the machine's. */
export default defineConfig({
  test: {
    include: ['test/proof/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
    reporters: ['default', new ClosingLineReporter()],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
  },
});
