import { join } from 'node:path';
import { HeadgateError } from '../../core/errors.js';
import { LakeFiles } from '../lake-files.js';
import { DuckdbWarehouse } from './duckdb-warehouse.js';
import { rawEvent } from './warehouse.contract.js';

/**
 * A process for tests to kill or to starve of disk: it appends chunks of 100 rows until it has `maximumChunks`, and
 * writes one line for each, "ok <number>" or "failed <number> <error code>". After three failures it ends.
 */
const [root = '', checkpointMib = '16', maximumChunks = '100000'] = process.argv.slice(2);
const warehouse = await DuckdbWarehouse.open(
  {
    file: join(root, 'warehouse.duckdb'),
    temporaryDirectory: join(root, 'tmp'),
    memoryMib: 128,
    threads: 1,
    readConnections: 2,
    checkpointMib: Number(checkpointMib),
  },
  new LakeFiles(join(root, 'lake')),
);

/** Text that compression can't make small, or no disk would fill. */
const noise = () => Array.from({ length: 6 }, () => Math.random().toString(36)).join('');

let failures = 0;
for (let number = 0; number < Number(maximumChunks) && failures < 3; number += 1) {
  const events = Array.from({ length: 100 }, (_, index) =>
    rawEvent(`${number}/${index}`, { data: JSON.stringify({ noise: noise() }) }),
  );
  const chunk = { chainDigest: `chunk_${number}`, sourceName: 'f', offsetBytes: 1n, rows: 100n };
  try {
    await warehouse.append(events, { recordedAtMicros: 1n, chunk });
    process.stdout.write(`ok ${number}\n`);
  } catch (error) {
    failures += 1;
    process.stdout.write(`failed ${number} ${error instanceof HeadgateError ? error.code : String(error)}\n`);
  }
}
await warehouse.close().catch(() => undefined);
