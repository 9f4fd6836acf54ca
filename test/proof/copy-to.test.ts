import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../cli/runtime.js';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';
import { writeCompany } from '../bench/event-files.js';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { ended, headgate, lineFrom, startHeadgate } from '../support/command-line.js';
import { catalogFile, openCompany, TEST_TOKEN_KEY } from '../support/company.js';
import { expectEqualMarts, exportMarts } from '../support/marts-export.js';
import { hasPostgres, startPostgres, type Postgres } from '../support/postgres.js';

const EVENTS = 1_000_000;
const Copied = z.object({
  tables: z.array(z.looseObject({ table: z.string(), copied: z.coerce.number() })),
  streams: z.array(z.looseObject({ stream: z.string(), rows: z.coerce.number(), copiedDays: z.number() })),
});

/* A company of a million events moves from its directory into ClickHouse and Postgres, killed on the way. */
describe.runIf(hasPostgres() && hasClickHouse())('lake copy-to', { timeout: 1_800_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'headgate-copy-'));
  const directory = join(root, 'data');
  let postgres: Postgres;
  let clickHouse: ClickHouse;
  let settings: Record<string, string>;
  let endsAt: string;
  let lines: number;
  let embedded: Map<string, string>;

  beforeAll(async () => {
    [postgres, clickHouse] = await Promise.all([startPostgres(), startClickHouse()]);
    settings = {
      DATABASE_URL: await postgres.createDatabase(),
      CLICKHOUSE_URL: clickHouse.url('headgate'),
      HEADGATE_TOKEN_KEY: TEST_TOKEN_KEY,
    };
    const file = join(root, 'company.ndjson');
    ({ endsAt, lines } = await writeCompany(file, EVENTS));
    const company = await openCompany(directory);
    const { services } = company.runtime;
    await services.publishCatalog(await catalogFile('fleetprompt'), 'test');
    await ingestNdjsonFile(file, services.ingest, {}, systemClock());
    embedded = await exportMarts(company, await company.transform(endsAt));
    await company.close();
  }, 1_800_000);
  afterAll(async () => {
    await Promise.all([postgres.stop(), clickHouse.stop()]);
    rmSync(root, { recursive: true, force: true });
  });

  const args = ['lake', 'copy-to', '--data', directory, '--json'];
  const copyAgain = async (): Promise<z.output<typeof Copied>> => {
    const { code, stdout, stderr } = await headgate(args, { cwd: root, environment: settings });
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    return Copied.parse(JSON.parse(stdout));
  };

  test('killed in the middle it goes on, and every event arrives', async () => {
    const first = startHeadgate(args.slice(0, -1), { cwd: root, environment: settings });
    await lineFrom(first.stderr, /Copying executions of/);
    const gone = ended(first);
    first.kill('SIGKILL');
    await gone;
    const { streams } = await copyAgain();
    expect(streams.reduce((sum, { rows }) => sum + rows, 0)).toBe(lines);
    expect(streams.find(({ stream }) => stream === 'executions')?.copiedDays).toBeGreaterThan(0);
  });

  test('a second copy copies nothing', async () => {
    const { tables, streams } = await copyAgain();
    expect(tables.filter(({ copied }) => copied > 0)).toEqual([]);
    expect(streams.filter(({ copiedDays }) => copiedDays > 0)).toEqual([]);
  });

  test('the marts on the other side are equal, byte for byte', async () => {
    const moved = await openCompany(undefined, settings);
    try {
      expectEqualMarts(await exportMarts(moved, await moved.transform(endsAt)), embedded);
    } finally {
      await moved.remove();
    }
  });
});
