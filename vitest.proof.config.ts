import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/closing-line-reporter.js';

/**
 * Built by dbt again and again, minutes each, to show end to end what unit tests, and `test/parity` for the SQL, hold each time.
 */
export const WITH_THE_PROOFS = [
  'test/integration/aggregations.test.ts',
  'test/integration/billing-adjustments.test.ts',
  'test/integration/billing-months.test.ts',
  'test/integration/order.test.ts',
];

/** The heavy proofs, whole: one after the other, since what they measure and kill is the machine's. */
export default defineConfig({
  test: {
    include: ['test/proof/**/*.test.ts', ...WITH_THE_PROOFS],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
    reporters: ['default', new ClosingLineReporter()],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
  },
});
