import type { Logger } from 'pino';
import { directChunkLog, loggedChunkLog, type ChunkLog } from '../ingest/files/chunk-log.js';
import type { Config } from '../platform/config.js';
import { DirectLog } from '../platform/log/direct-log.js';
import type { EventLog } from '../platform/log/event-log.js';
import { openKafkaLog, type KafkaLog } from '../platform/log/kafka-log.js';
import type { Sql } from '../platform/sql/sql.js';
import type { OpenedWarehouse } from './open-warehouse.js';
import { SingleWriter } from './single-writer.js';

/** Where events become durable, one by one and by stretches of files. */
export interface OpenedLog {
  readonly log: EventLog;
  readonly chunkLog: ChunkLog;
  /** Null where the warehouse itself is the log. */
  readonly kafka: KafkaLog | null;
  readonly close: () => Promise<void>;
}

interface Parts {
  readonly config: Config;
  readonly logger: Logger;
  readonly sql: Sql;
  readonly holder: string;
}

const COMMIT_EVENTS = 10_000;

/** The topics that KAFKA_BROKERS names, else the warehouse itself. */
export async function openLog(
  { config, logger, sql, holder }: Parts,
  { warehouse, identity, beginWriting }: OpenedWarehouse,
): Promise<OpenedLog> {
  if (config.kafka !== null) {
    const options = {
      logger,
      queueEvents: config.limits.queueEvents,
      maxEventBytes: config.limits.eventBytes,
    };
    const kafka = await openKafkaLog(config.kafka, options);
    return {
      log: kafka,
      chunkLog: loggedChunkLog(kafka, warehouse),
      kafka,
      close: () => kafka.close(),
    };
  }
  const log = new DirectLog(warehouse, {
    queueLimit: config.limits.queueEvents,
    commitLimit: COMMIT_EVENTS,
  });
  const chunkLog = directChunkLog(warehouse);
  if (identity === null || !sql.isShared) return { log, chunkLog, kafka: null, close: () => log.close() };
  const writer = new SingleWriter(sql, holder, beginWriting);
  return {
    log: writer.log(log),
    chunkLog: writer.chunkLog(chunkLog),
    kafka: null,
    close: async () => {
      await log.close();
      await writer.release();
    },
  };
}
