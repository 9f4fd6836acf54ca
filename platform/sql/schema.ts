import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  date,
  index,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  text,
  unique,
} from 'drizzle-orm/pg-core';
import { bytes, instant, wide } from './columns.js';

/** Bearer keys, as SHA-256 of the secret: the secret itself is shown once and kept nowhere. */
export const apiKeys = pgTable('api_keys', {
  keyId: text('key_id').primaryKey(),
  name: text('name').notNull(),
  secretHash: text('secret_hash').notNull().unique(),
  role: text('role'),
  scopes: text('scopes').array().notNull(),
  createdAt: instant('created_at').notNull(),
  lastUsedAt: instant('last_used_at'),
  revokedAt: instant('revoked_at'),
});

/** Personal values behind their tokens. Erasing a person deletes rows here and nowhere else. */
export const vaultValues = pgTable(
  'vault_values',
  {
    token: text('token').primaryKey(),
    field: text('field').notNull(),
    /** AES-256-GCM: nonce, ciphertext, tag. The token is authenticated with it. */
    ciphertext: bytes('ciphertext').notNull(),
    keyId: text('key_id').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [index('vault_values_by_key').on(table.keyId)],
);

/** Which person a token was seen for ("lead:lead_7"), so that erasing one takes all of theirs. */
export const vaultPersons = pgTable(
  'vault_persons',
  { person: text('person').notNull(), token: text('token').notNull() },
  (table) => [
    primaryKey({ columns: [table.person, table.token] }),
    index('vault_persons_by_token').on(table.token),
  ],
);

/** What this installation was set up with, and must keep: a token key other than the first would silently break every join. */
export const installation = pgTable('installation', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
  setAt: instant('set_at')
    .notNull()
    .default(sql`now()`),
});

/** One row for each lease that somebody holds, or held until it expired. Times are the database's. */
export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  /** For people: who has it. */
  holder: text('holder').notNull(),
  /** Another with every acquisition, ever higher: who has an old one has lost the lease. */
  epoch: wide('epoch').notNull(),
  expiresAt: instant('expires_at').notNull(),
});
export const leaseEpochs = pgSequence('lease_epochs');

/** Append-only (a trigger refuses anything else) and hash-chained: entry n holds the hash of entry n-1. */
export const auditEntries = pgTable('audit_entries', {
  sequence: wide('sequence').primaryKey(),
  at: instant('at').notNull(),
  actor: text('actor').notNull(),
  action: text('action').notNull(),
  target: text('target').notNull(),
  /** Canonical JSON text, as hashed. */
  details: text('details').notNull(),
  previousHash: text('previous_hash').notNull(),
  hash: text('hash').notNull().unique(),
});

export const catalogVersions = pgTable('catalog_versions', {
  version: wide('version').primaryKey(),
  catalogId: text('catalog_id').notNull(),
  digest: text('digest').notNull(),
  /** The file as published, byte for byte. */
  source: text('source').notNull(),
  document: jsonb('document').notNull(),
  effectiveFrom: instant('effective_from'),
  publishedAt: instant('published_at').notNull(),
  publishedBy: text('published_by').notNull(),
});

/** Every build of the marts. `status`: building, published, failed, dropped. */
export const runs = pgTable(
  'runs',
  {
    runId: text('run_id').primaryKey(),
    status: text('status', { enum: ['building', 'published', 'failed', 'dropped'] }).notNull(),
    asOf: instant('as_of').notNull(),
    watermark: jsonb('watermark').notNull(),
    catalogVersion: wide('catalog_version'),
    codeRevision: text('code_revision').notNull(),
    isIncremental: boolean('is_incremental').notNull(),
    /** A historical as_of: kept and readable, but never what the pointer names by itself. */
    isHistorical: boolean('is_historical').notNull().default(false),
    location: text('location').notNull(),
    eventCounts: jsonb('event_counts'),
    timings: jsonb('timings'),
    failure: text('failure'),
    startedAt: instant('started_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (table) => [index('runs_by_as_of').on(table.asOf), index('runs_by_start').on(table.startedAt)],
);

/** Runs that must stay readable: what they say was billed. */
export const runHolds = pgTable(
  'run_holds',
  { runId: text('run_id').notNull(), holder: text('holder').notNull() },
  (table) => [primaryKey({ columns: [table.runId, table.holder] })],
);

/** Names that readers resolve once per request; `current` is the run that serves. */
export const pointers = pgTable('pointers', {
  name: text('name').primaryKey(),
  runId: text('run_id').notNull(),
  movedAt: instant('moved_at').notNull(),
});

/** A month that finance closed, with the run it was closed on. */
export const monthPins = pgTable('month_pins', {
  month: date('month', { mode: 'string' }).primaryKey(),
  runId: text('run_id').notNull(),
  closedAt: instant('closed_at').notNull(),
  closedBy: text('closed_by').notNull(),
});

/**
 * Events that did not pass. One row per raw bytes and place: from a file the place is file digest and byte
 * offset, so that a retry finds its row; over HTTP it is '', so that a client that re-sends raises `count`.
 */
export const quarantine = pgTable(
  'quarantine',
  {
    quarantineId: text('quarantine_id').primaryKey(),
    rawDigest: text('raw_digest').notNull(),
    sourceName: text('source_name').notNull(),
    sourcePosition: text('source_position').notNull().default(''),
    raw: bytes('raw').notNull(),
    reason: text('reason').notNull(),
    path: text('path').notNull(),
    message: text('message').notNull(),
    /** Every problem found, not only the first: [{path, code, message}]. */
    problems: jsonb('problems').notNull(),
    count: bigint('count', { mode: 'number' }).notNull(),
    status: text('status', { enum: ['open', 'fixed', 'discarded'] }).notNull(),
    /** The bytes that went in instead, when it was fixed. */
    fixedRaw: bytes('fixed_raw'),
    firstSeenAt: instant('first_seen_at').notNull(),
    lastSeenAt: instant('last_seen_at').notNull(),
    resolvedAt: instant('resolved_at'),
    resolvedBy: text('resolved_by'),
  },
  (table) => [
    unique('quarantine_once').on(table.rawDigest, table.sourceName, table.sourcePosition),
    index('quarantine_by_status').on(table.status, table.firstSeenAt, table.quarantineId),
  ],
);

/** One identity, two contents. The first in log order stands until somebody decides; the decision is kept here. */
export const conflicts = pgTable(
  'conflicts',
  {
    conflictId: text('conflict_id').primaryKey(),
    stream: text('stream').notNull(),
    identity: text('identity').notNull(),
    source: text('source').notNull(),
    eventId: text('event_id').notNull(),
    firstPartition: integer('first_partition').notNull(),
    firstOffset: wide('first_offset').notNull(),
    otherPartition: integer('other_partition').notNull(),
    otherOffset: wide('other_offset').notNull(),
    status: text('status', { enum: ['open', 'decided'] }).notNull(),
    /** Which of the two stands. */
    decision: text('decision', { enum: ['first', 'other'] }),
    decidedBy: text('decided_by'),
    decidedAt: instant('decided_at'),
    foundByRun: text('found_by_run'),
    foundAt: instant('found_at').notNull(),
  },
  (table) => [
    unique('conflicts_once').on(table.stream, table.identity, table.otherPartition, table.otherOffset),
    index('conflicts_by_status').on(table.status, table.foundAt, table.conflictId),
  ],
);

/** The first answer to a write with an Idempotency-Key, repeated to whoever sends the key again. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    /** The caller's key id and the key it sent. */
    scope: text('scope').notNull(),
    key: text('key').notNull(),
    requestDigest: text('request_digest').notNull(),
    /** Null while the first request is under way. */
    status: integer('status'),
    answer: text('answer'),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.scope, table.key] }),
    index('idempotency_keys_by_expiry').on(table.expiresAt),
  ],
);
