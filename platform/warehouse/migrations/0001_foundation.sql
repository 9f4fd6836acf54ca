-- Raw tables: an append-only log. Types lose nothing; identity and raw_hash are those of core/identity.ts.
-- Runs read by month and day; subject next to it makes an org's day one stretch. What is new is found by position: parts whose
-- positions are all older are passed over by the index. A power cut takes nothing that was answered: inserts are synced.
CREATE TABLE IF NOT EXISTS raw_executions
(
    log_partition Int32,
    log_offset Int64,
    recorded_at DateTime64(6, 'UTC'),
    source LowCardinality(String),
    id String,
    identity String DEFAULT lower(hex(MD5(concat(source, '\n', id)))) CODEC(ZSTD(1)),
    type LowCardinality(String),
    subject String,
    time DateTime64(6, 'UTC'),
    data String CODEC(ZSTD(1)),
    extra Nullable(String),
    raw_hash String DEFAULT lower(hex(MD5(concat(type, '\n', subject, '\n', toString(toUnixTimestamp64Micro(time)), '\n', data)))) CODEC(ZSTD(1)),
    INDEX by_position (log_partition, log_offset) TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (toDate32(time), subject, log_partition, log_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS raw_installs AS raw_executions;

CREATE TABLE IF NOT EXISTS raw_billing AS raw_executions;

CREATE TABLE IF NOT EXISTS raw_crm AS raw_executions;

-- How far each partition of the log has been taken in; partition 0 is what Headgate writes by itself. Only ever rises, and is
-- written after the rows: an insert over several months is not atomic, so rows alone do not say that all before them are there.
CREATE TABLE IF NOT EXISTS log_progress
(
    stream LowCardinality(String),
    log_partition Int32,
    last_offset SimpleAggregateFunction(max, Int64),
    recorded_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (stream, log_partition)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Offsets of partition 0 are reserved in blocks before they are used: none is ever given to two events, whatever became of an
-- insert whose answer was lost.
CREATE TABLE IF NOT EXISTS offset_blocks
(
    first_offset Int64,
    last_offset Int64,
    writer String,
    reserved_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY first_offset
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS ingest_chunks
(
    chain_digest String,
    source_name String,
    offset_bytes Int64,
    rows Int64,
    recorded_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY chain_digest
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
