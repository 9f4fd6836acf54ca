import { writeSync } from 'node:fs';
import { serve } from '../../api/serve.js';
import { openRuntime, systemClock } from '../../cli/runtime.js';
import { loadConfig } from '../../platform/config.js';
import { TEST_TOKEN_KEY } from '../support/company.js';
import type { SqlDatabase } from '../../platform/sql/sql.js';
import type { BulkSession } from '../../platform/warehouse/bulk-warehouse.js';
import type { Phase } from './phases.js';
import { embeddedPartsOf } from '../support/embedded.js';

/**
 * A server for tests to kill. It says on its output when a phase begins and ends, each line written before the work goes on, so that
 * what was under way at the kill can be read from it: "begin append 12", "end append 12"; "ready <url> <token>"; "progress".
 */
const STDOUT = 1;
const say = (line: string): void => {
  writeSync(STDOUT, `${line}\n`);
};

let spans = 0;
function begin(phase: Phase): () => void {
  spans += 1;
  const name = `${phase} ${spans}`;
  say(`begin ${name}`);
  return () => {
    say(`end ${name}`);
  };
}

async function during<Result>(phase: Phase, work: () => Promise<Result>): Promise<Result> {
  const end = begin(phase);
  try {
    return await work();
  } finally {
    end();
  }
}

const runtime = await openRuntime({
  config: loadConfig({
    HEADGATE_DATA: process.argv[2],
    HEADGATE_LOG_LEVEL: 'error',
    HEADGATE_RUNS_KEPT: '3',
    HEADGATE_TOKEN_KEY: TEST_TOKEN_KEY,
  }),
  command: 'headgate serve',
  clock: systemClock,
  environment: process.env,
  onProgress: () => undefined,
});
const { services, directory } = runtime;
const { lake, bulkWarehouse } = embeddedPartsOf(runtime);

// The log's group commit.
const append = services.warehouse.append.bind(services.warehouse);
services.warehouse.append = (events, options) => during('append', () => append(events, options));

// The warehouse's own transaction for a stretch of a file.
const bulk = bulkWarehouse.bulk.bind(bulkWarehouse);
bulkWarehouse.bulk = (work) =>
  bulk((session: BulkSession) =>
    work({ ...session, append: (batch) => during('write', () => session.append(batch)) }),
  );

const exportLake = lake.export.bind(lake);
lake.export = (watermark) => during('export', () => exportLake(watermark));

// The pointer moves in the transaction that follows the word that the run is being published.
let isPublishing = false;
const database: SqlDatabase = services.sql.database;
const transaction = database.transaction.bind(database);
database.transaction = (work, settings) => {
  if (!isPublishing) return transaction(work, settings);
  isPublishing = false;
  return during('pointer', () => transaction(work, settings));
};

/** The stages of a run, by what it says when each begins. */
function stages() {
  let endStage = (): void => undefined;
  const enter = (phase: Phase | null): void => {
    endStage();
    endStage = phase === null ? () => undefined : begin(phase);
  };
  let stage = '';
  return (message: string): void => {
    say('progress');
    const [word = ''] = message.split(' ');
    if (word === stage) return;
    stage = word;
    if (word === 'Building') enter('dbt');
    else if (word === 'Writing') enter('files');
    else enter(null);
    isPublishing = word === 'Publishing';
  };
}

const server = await serve({
  services: {
    ...services,
    transform: (request) => services.transform({ ...request, onProgress: stages() }),
  },
  host: '127.0.0.1',
  port: 0,
  publishServer: (published) => directory.publishServer(published),
});
say(`ready ${server.url} ${services.localToken}`);
