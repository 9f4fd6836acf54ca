import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { clickHouseTransformer } from '../../cli/clickhouse-transformer.js';
import { systemClock } from '../../cli/runtime.js';
import { STREAMS, type RawEvent, type Stream } from '../../core/raw-event.js';
import { parseInstant } from '../../core/time.js';
import type { CatalogStore } from '../../platform/catalog-store.js';
import { loadConfig, type ClickHouseConfig } from '../../platform/config.js';
import { SecretText } from '../../platform/secrets.js';
import { dataDirectoryLayout } from '../../platform/data-directory.js';
import { openPgliteSql } from '../../platform/sql/pglite-sql.js';
import type { Sql } from '../../platform/sql/sql.js';
import {
  openClickHouseWarehouse,
  type ClickHouseWarehouse,
} from '../../platform/warehouse/clickhouse-warehouse.js';
import { rawTable } from '../../platform/warehouse/raw-tables.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';
import { RunAccess } from '../../transforms/run-access.js';
import type { AssertLeader, Run } from '../../transforms/run-store.js';
import type { TransformRequest } from '../../transforms/runner/transform.js';
import type { ClickHouse } from './clickhouse.js';

/** A company whose warehouse is ClickHouse, with the product's own builder of runs and a store of its own. */
export interface ClickHouseCompany {
  readonly directory: string;
  readonly database: string;
  readonly sql: Sql;
  readonly warehouse: ClickHouseWarehouse;
  readonly runs: RunAccess;
  transform(asOf: string, options?: Partial<TransformRequest>): Promise<Run>;
  stop(): Promise<void>;
}

export interface ClickHouseCompanyOptions {
  readonly catalogs: CatalogStore;
  /** The main database; companies of one server need different ones. */
  readonly database: string;
  /** Outlives companies, so that dbt need not parse the project again; without it, one of its own. */
  readonly directory?: string;
  readonly sql?: Sql;
  readonly keepRuns?: number;
  readonly assertLeader?: AssertLeader;
}

export function clickHouseConfig({ port }: ClickHouse, database: string): ClickHouseConfig {
  return {
    url: new SecretText(`http://127.0.0.1:${port}/${database}`),
    caFile: null,
    timeoutMs: 120_000,
  };
}

export async function openClickHouseCompany(
  clickHouse: ClickHouse,
  options: ClickHouseCompanyOptions,
): Promise<ClickHouseCompany> {
  const { catalogs, database, assertLeader } = options;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'headgate-clickhouse-company-'));
  mkdirSync(directory, { recursive: true });
  const sql = options.sql ?? (await openPgliteSql('memory://'));
  if (options.sql === undefined) await sql.migrate();
  const config = clickHouseConfig(clickHouse, database);
  const warehouse = await openClickHouseWarehouse(config);
  const runs = new RunAccess(sql, warehouse);
  const transformer = clickHouseTransformer(
    {
      config: loadConfig({ HEADGATE_RUNS_KEPT: String(options.keepRuns ?? 5) }),
      clock: systemClock,
      environment: process.env,
      directory: dataDirectoryLayout(directory),
      sql,
      runs,
      catalogs,
      ...(assertLeader === undefined ? {} : { assertLeader }),
    },
    { clickHouse: config, warehouse },
  );
  return {
    directory,
    database,
    sql,
    warehouse,
    runs,
    transform: (asOf, request = {}) => transformer.transform({ asOf: parseInstant(asOf), ...request }),
    async stop() {
      await transformer.stop();
      await warehouse.close();
      if (options.sql === undefined) await sql.close();
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

const RawRow = z.object({
  log_offset: z.bigint(),
  source: z.string(),
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string(),
  data: z.string(),
  extra: z.string().nullable(),
});

/** The raw rows of a warehouse beyond an offset of partition 0, in the log's order. */
export async function* rawEvents(
  from: Pick<Warehouse, 'stream'>,
  stream: Stream,
  beyond: bigint,
): AsyncIterable<RawEvent[]> {
  const sql = `select log_offset, source, id, type, subject, time, data, extra from ${rawTable(stream)}
    where log_offset > $beyond order by log_offset`;
  for await (const rows of from.stream(sql, { beyond }, RawRow)) {
    yield rows.map(({ source, id, type, subject, time, data, extra }) => ({
      stream,
      source,
      id,
      type,
      subject,
      timeMicros: parseInstant(time),
      data,
      extra,
    }));
  }
}

const PARTITIONS = 3;
const BATCH = 700;

/** Copies what another warehouse has, as if it had come through topics of several partitions whose consumers were restarted again and again. */
export class TopicFeed {
  private readonly offsets = new Map<string, bigint>();
  private taken = -1n;
  private recordedAtMicros = 0n;

  constructor(
    private readonly from: Pick<Warehouse, 'stream' | 'positions'>,
    private readonly to: ClickHouseWarehouse,
    /** As in the topics: copies stay in the order they came in, and what has another subject may overtake. */
    private readonly partitionOf: (event: RawEvent) => number = ({ subject }) =>
      checksum(subject) % PARTITIONS,
  ) {}

  /** Everything that is new since the last call. */
  async deliver(): Promise<void> {
    const positions = await this.from.positions();
    for (const stream of STREAMS) {
      for await (const events of rawEvents(this.from, stream, this.taken)) {
        await this.deliverEvents(stream, events);
      }
    }
    // One sequence runs through all streams of an embedded log.
    for (const stream of STREAMS) {
      for (const { offset } of positions[stream]) if (offset > this.taken) this.taken = offset;
    }
  }

  private async deliverEvents(stream: Stream, events: readonly RawEvent[]): Promise<void> {
    const recorded = events.map((event) => ({ event, recordedAtMicros: (this.recordedAtMicros += 1n) }));
    // From the last partition on, so that neither the order of reading nor that of partitions is the one in which events came.
    for (let topicPartition = PARTITIONS - 1; topicPartition >= 0; topicPartition -= 1) {
      const own = recorded.filter(({ event }) => this.partitionOf(event) === topicPartition);
      for (let start = 0; start < own.length; start += BATCH) {
        const logged = own.slice(start, start + BATCH).map((one) => ({
          ...one,
          offset: this.nextOffset(`${stream} ${topicPartition}`),
        }));
        const lastOffset = logged.at(-1)?.offset ?? 0n;
        await this.to.appendFromLog({ stream, topicPartition, events: logged, lastOffset });
        // A consumer that died before it committed: its successor begins in the middle of the batch, with other borders.
        const again = logged.slice(Math.floor(logged.length / 3));
        if (checksum(`${stream} ${lastOffset}`) % 2 === 0) {
          await this.to.appendFromLog({ stream, topicPartition, events: again, lastOffset });
        }
      }
    }
  }

  /** Offsets have gaps where a topic holds what is not ours. */
  private nextOffset(place: string): bigint {
    const last = this.offsets.get(place) ?? 4n;
    const next = last + (last % 5n === 0n ? 3n : 1n);
    this.offsets.set(place, next);
    return next;
  }
}

function checksum(text: string): number {
  let sum = 7;
  for (const character of text) sum = (sum * 31 + character.charCodeAt(0)) % 1_000_003;
  return sum;
}
