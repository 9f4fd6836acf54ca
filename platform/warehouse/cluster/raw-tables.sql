-- Raw tables of a cluster named "headgate" with macros {shard} and {replica}, to be run on one node before Headgate's first start.
-- Local tables are replicated within a shard; the names that Headgate uses are distributed over the shards by subject, so that all rows
-- of an org lie together. Progress and file notes are small: one copy on every node.
CREATE DATABASE IF NOT EXISTS headgate ON CLUSTER headgate;

CREATE TABLE IF NOT EXISTS headgate.raw_executions_local ON CLUSTER headgate
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/headgate/raw_executions', '{replica}')
PARTITION BY toYYYYMM(time)
ORDER BY (toDate32(time), subject, log_partition, log_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS headgate.raw_executions ON CLUSTER headgate AS headgate.raw_executions_local
ENGINE = Distributed(headgate, headgate, raw_executions_local, cityHash64(subject));

CREATE TABLE IF NOT EXISTS headgate.raw_installs_local ON CLUSTER headgate
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/headgate/raw_installs', '{replica}')
PARTITION BY toYYYYMM(time)
ORDER BY (toDate32(time), subject, log_partition, log_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS headgate.raw_installs ON CLUSTER headgate AS headgate.raw_installs_local
ENGINE = Distributed(headgate, headgate, raw_installs_local, cityHash64(subject));

CREATE TABLE IF NOT EXISTS headgate.raw_billing_local ON CLUSTER headgate
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/headgate/raw_billing', '{replica}')
PARTITION BY toYYYYMM(time)
ORDER BY (toDate32(time), subject, log_partition, log_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS headgate.raw_billing ON CLUSTER headgate AS headgate.raw_billing_local
ENGINE = Distributed(headgate, headgate, raw_billing_local, cityHash64(subject));

CREATE TABLE IF NOT EXISTS headgate.raw_crm_local ON CLUSTER headgate
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/headgate/raw_crm', '{replica}')
PARTITION BY toYYYYMM(time)
ORDER BY (toDate32(time), subject, log_partition, log_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS headgate.raw_crm ON CLUSTER headgate AS headgate.raw_crm_local
ENGINE = Distributed(headgate, headgate, raw_crm_local, cityHash64(subject));

CREATE TABLE IF NOT EXISTS headgate.log_progress ON CLUSTER headgate
(
    stream LowCardinality(String),
    log_partition Int32,
    last_offset SimpleAggregateFunction(max, Int64),
    recorded_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/all/headgate/log_progress', '{shard}-{replica}')
ORDER BY (stream, log_partition)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS headgate.offset_blocks ON CLUSTER headgate
(
    first_offset Int64,
    last_offset Int64,
    writer String,
    reserved_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/all/headgate/offset_blocks', '{shard}-{replica}')
ORDER BY first_offset
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS headgate.ingest_chunks ON CLUSTER headgate
(
    chain_digest String,
    source_name String,
    offset_bytes Int64,
    rows Int64,
    recorded_at DateTime64(6, 'UTC')
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/all/headgate/ingest_chunks', '{shard}-{replica}')
ORDER BY chain_digest
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
