import { randomUUID } from 'node:crypto';
import { STREAMS } from '../core/raw-event.js';
import { RefusedError } from '../core/errors.js';
import type { KafkaLog } from '../platform/log/kafka-log.js';
import { checkFingerprint, keepFirst } from '../platform/sql/installation.js';
import type { Sql } from '../platform/sql/sql.js';

const EMBEDDED = 'embedded ';

/**
 * What belongs together stays together: a store whose runs are in one warehouse is not opened beside another. The first start decides.
 *
 * @param identity a server's; null for the data directory's own warehouse
 * @returns the warehouse's name
 * @throws RefusedError `invalid_config` naming the setting that is wrong
 */
export async function checkWarehouse(sql: Sql, identity: string | null): Promise<string> {
  if (identity !== null) {
    await checkFingerprint(
      sql,
      'warehouse',
      identity,
      'CLICKHOUSE_URL names another warehouse than the one that this store belongs to; ' +
        'set the first one back, or move the company with: headgate lake copy-to',
    );
    return identity;
  }
  const kept = await keepFirst(sql, 'warehouse', `${EMBEDDED}${randomUUID()}`);
  if (kept.startsWith(EMBEDDED)) return kept.slice(EMBEDDED.length);
  throw new RefusedError(
    'invalid_config',
    'DATABASE_URL names a store whose events are on ClickHouse, and CLICKHOUSE_URL is not set; set it',
  );
}

/** @throws RefusedError `invalid_config` where topics were deleted and made again, or are of another cluster */
export async function checkTopics(sql: Sql, kafka: KafkaLog): Promise<void> {
  const { generation, topicIds } = await kafka.identity();
  for (const stream of STREAMS) {
    const id = topicIds[stream];
    if (id === null) continue;
    await checkFingerprint(
      sql,
      `kafka_topic ${stream} ${generation}`,
      id,
      `KAFKA_BROKERS: the topic of ${stream} is not the one that this company was filled from (made again, or of another cluster); ` +
        'name the first one, or, when it is gone for good, raise HEADGATE_KAFKA_GENERATION by one',
    );
  }
}
