import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { packagePath } from '../../platform/package-path.js';
import { hasAllServices } from '../support/served-company.js';
import { testSeed } from '../support/test-seed.js';

const ROUNDS = 10;

/** Parity, and whatever kills, loses or withholds something: files of `npm test`, by the beginnings of their names. */
const SUITES = [
  'test/parity/',
  'test/faults/several-processes',
  'test/faults/services-killed',
  'test/faults/paused-leader',
  'test/integration/leases',
  'platform/log/kafka-log',
  'platform/log/kafka-consumption',
  'platform/log/kafka-membership',
  'platform/sql/lease',
  'platform/sql/pg-sql',
  'platform/warehouse/clickhouse-warehouse.faults',
  'ingest/kafka-consumer',
];

/* What passes nine times of ten is not right. Each round is another seed: other histories, other moments of death. */
describe.runIf(hasAllServices())('parity and faults on the real services', () => {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const firstSeed = testSeed();

  test.each(Array.from({ length: ROUNDS }, (_, round) => [round + 1, firstSeed + round] as const))(
    `round %i of ${ROUNDS}, HEADGATE_TEST_SEED=%i`,
    { timeout: 1_800_000 },
    async (_round, seed) => {
      const child = spawn(process.execPath, [vitest, 'run', ...SUITES], {
        cwd: packagePath(),
        env: { ...process.env, HEADGATE_TEST_SEED: String(seed), REQUIRE_SERVICES: '1' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
      const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, 'close'));
      const closing = /^\d+ passed, \d+ failed.*$/m.exec(output)?.[0] ?? 'no closing line';
      console.log(closing);
      if (code !== 0) console.log(output.slice(-20_000));
      expect([code, closing]).toEqual([0, expect.stringMatching(/^[1-9]\d* passed, 0 failed/)]);
    },
  );
});
