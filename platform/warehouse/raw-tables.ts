import { STREAMS, type Stream } from '../../core/raw-event.js';

/** The columns of every raw table and of every part of the lake, in order, with DuckDB's types. */
export const RAW_COLUMNS = [
  ['log_partition', 'INTEGER'],
  ['log_offset', 'BIGINT'],
  ['recorded_at', 'TIMESTAMP'],
  ['source', 'VARCHAR'],
  ['id', 'VARCHAR'],
  ['identity', 'VARCHAR'],
  ['type', 'VARCHAR'],
  ['subject', 'VARCHAR'],
  ['time', 'TIMESTAMP'],
  ['data', 'VARCHAR'],
  ['extra', 'VARCHAR'],
  ['raw_hash', 'VARCHAR'],
] as const;

export const RAW_COLUMN_LIST = RAW_COLUMNS.map(([name]) => name).join(', ');

/** For a FROM clause: the shape of a raw table, without a row. */
export const EMPTY_RAW_RELATION = `(SELECT ${RAW_COLUMNS.map(([name, type]) => `NULL::${type} AS ${name}`).join(', ')} WHERE false)`;

export function rawTable(stream: Stream): string {
  return `raw_${stream}`;
}

/**
 * How columns are packed, where the engine's own choice costs too much: it tries every method on hashes that no
 * method can shorten, and packs `data` in a way that takes longer and more room than zstd. A third off an append.
 */
const COMPRESSION: Readonly<Record<string, string>> = {
  id: 'uncompressed',
  identity: 'uncompressed',
  raw_hash: 'uncompressed',
  data: 'zstd',
};

function columnDefinition([name, type]: (typeof RAW_COLUMNS)[number]): string {
  const compression = COMPRESSION[name];
  return compression === undefined ? `${name} ${type}` : `${name} ${type} USING COMPRESSION ${compression}`;
}

/** No keys and no indexes: a plain append is bound by the disk, a primary key costs 7 ms a row. */
export const WAREHOUSE_TABLES: readonly string[] = [
  ...STREAMS.map(
    (stream) =>
      `CREATE TABLE IF NOT EXISTS ${rawTable(stream)} (${RAW_COLUMNS.map(columnDefinition).join(', ')})`,
  ),
  `CREATE TABLE IF NOT EXISTS ingest_chunks (
     chain_digest VARCHAR PRIMARY KEY, source_name VARCHAR NOT NULL, offset_bytes BIGINT NOT NULL,
     rows BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL)`,
  // Of Kafka's topics: commits with the rows, so that no message counts twice and none is left out.
  `CREATE TABLE IF NOT EXISTS log_progress (
     stream VARCHAR, topic_partition BIGINT, last_offset BIGINT NOT NULL, PRIMARY KEY (stream, topic_partition))`,
  // A range is written down before its parts are, so that a killed export is finished under the same file names.
  `CREATE TABLE IF NOT EXISTS lake_exports (
     stream VARCHAR NOT NULL, from_offset BIGINT NOT NULL, to_offset BIGINT NOT NULL, is_done BOOLEAN NOT NULL)`,
];
