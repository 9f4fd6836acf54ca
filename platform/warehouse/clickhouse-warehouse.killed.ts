import { HeadgateError } from '../../core/errors.js';
import { SecretText } from '../secrets.js';
import { openClickHouseWarehouse } from './clickhouse-warehouse.js';
import { rawEvent } from './warehouse.contract.js';

/**
 * A process for tests to kill, or to take its server from: it appends chunks of 100 rows that reach over two months, as a writer
 * without Kafka (`own`) or as a consumer (`log`), until it has `maximumChunks`, and writes one line for each, "ok <number>" or
 * "failed <number> <error code>". What failed is sent again, as whoever was told so does; after `patience` failures it ends.
 */
const [url = '', kind = 'own', maximumChunks = '100000', patience = '3'] = process.argv.slice(2);
const warehouse = await openClickHouseWarehouse({
  url: new SecretText(url),
  caFile: null,
  timeoutMs: 20_000,
});

const ROWS = 100;
const MONTHS = [Date.parse('2026-01-15T00:00:00Z'), Date.parse('2026-02-15T00:00:00Z')];

/** Text that compression can't make small, or no disk would fill. */
const noise = () => Array.from({ length: 6 }, () => Math.random().toString(36)).join('');

async function appendChunk(number: number): Promise<void> {
  const events = Array.from({ length: ROWS }, (_, index) =>
    rawEvent(`${number}/${index}`, {
      timeMicros: BigInt(MONTHS[index % 2] ?? 0) * 1000n,
      data: JSON.stringify({ noise: noise() }),
    }),
  );
  if (kind === 'own') {
    const chunk = { chainDigest: `chunk_${number}`, sourceName: 'f', offsetBytes: 1n, rows: BigInt(ROWS) };
    await warehouse.append(events, { recordedAtMicros: 1n, chunk });
    return;
  }
  const first = BigInt(number * ROWS);
  await warehouse.appendFromLog({
    stream: 'executions',
    topicPartition: 0,
    events: events.map((event, index) => ({ offset: first + BigInt(index), event, recordedAtMicros: 1n })),
    lastOffset: first + BigInt(ROWS - 1),
  });
}

let failures = 0;
for (let number = 0; number < Number(maximumChunks) && failures < Number(patience);) {
  try {
    await appendChunk(number);
    process.stdout.write(`ok ${number}\n`);
    number += 1;
  } catch (error) {
    failures += 1;
    const code = error instanceof HeadgateError ? error.code : String(error);
    process.stdout.write(`failed ${number} ${code}\n`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
await warehouse.close().catch(() => undefined);
