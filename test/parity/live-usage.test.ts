import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { liveReader, orgsToCorrect, readAims, type LivePart } from '../../billing/quota/live-reader.js';
import { totalOf } from '../../billing/quota/live-usage.js';
import { readUsage, type UsageWindow, type WindowTotal } from '../../billing/metered-usage.js';
import { Meter } from '../../core/catalog/usage.js';
import type { RawEvent, WatermarkVector } from '../../core/raw-event.js';
import { watermarkJson } from '../../core/raw-event.js';
import { parseInstant } from '../../core/time.js';
import { addDecimals, formatDecimal, parseDecimal, ZERO } from '../../core/decimal.js';
import { Random } from '../../fixtures/generator/random.js';
import { castText } from '../../platform/warehouse/cast-text.js';
import { renderMacro } from '../../platform/warehouse/render-macros.js';
import type { RunReader, Warehouse } from '../../platform/warehouse/warehouse.js';
import { standingEvents } from '../oracles/standing-events.js';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { openTestClickHouse, openTestDuckdb } from '../support/warehouses.js';
import { testSeed } from '../support/test-seed.js';

/*
 * What is live is what a run would say that is made now, and what a plain reading of the lines says. Random histories, each an org of
 * its own, are cut at a random place: what was before it is the run's, made of the macros that dbt builds runs from; what is after it
 * is the tail. Events come again, with the same content and with another; they are voided and amended, and that is taken back.
 */
const ORGS = 120;
const AS_OF = '2026-03-16T00:00:00Z';
const EVER = '2200-01-01T00:00:00Z';
const METER = Meter.parse({
  ...{ name: 'Operations', unit: 'operation', stream: 'executions', eventType: 'execution.completed' },
  ...{ key: 'ops', aggregation: 'sum' },
});

interface History {
  readonly orgId: string;
  readonly lines: readonly string[];
  /** How many of the lines came before the run. */
  readonly known: number;
}

function history(orgId: string, random: Random): History {
  // Half of them come without corrections after the run.
  const isCalm = random.chance(500_000);
  const count = random.between(4, 14);
  const known = random.between(0, count);
  const lines = Array.from({ length: count }, (_, place) =>
    line(orgId, place, random, isCalm && place >= known),
  );
  return { orgId, lines, known };
}

function line(orgId: string, place: number, random: Random, isCalm: boolean): string {
  const time = `2026-03-${String(random.between(10, 20)).padStart(2, '0')}T0${random.below(9)}:00:00Z`;
  const base = { specversion: '1.0', source: `/${orgId}`, subject: orgId };
  const target = (kind: string) => ({
    targetSource: `/${orgId}`,
    targetId: `${kind}${random.below(4)}`,
    reason: 'r',
  });
  const data = () => ({
    executionId: 'x',
    packageId: 'p',
    durationMs: 1,
    usage: { ops: String(10 ** random.below(6)) },
  });
  const what = isCalm ? 0 : random.weighted([50, 20, 20, 10]);
  // A content of its own for one and the same id now and then: the first in the log stands.
  const events = [
    { id: `e${random.below(4)}`, type: 'execution.completed', time, data: data() },
    {
      id: `v${random.below(4)}`,
      type: 'event.voided',
      time,
      data: { targetType: 'execution.completed', ...target('e') },
    },
    {
      ...{ id: `a${random.below(4)}`, type: 'event.amended', time },
      data: { targetType: 'execution.completed', ...target('e'), data: data() },
    },
    {
      ...{ id: `w${place}`, type: 'event.voided', time },
      data: {
        targetType: 'event.voided',
        targetStream: 'executions',
        ...target(random.chance(500_000) ? 'v' : 'a'),
      },
    },
  ];
  return JSON.stringify({ ...base, ...events[what] });
}

const Line = z.object({
  ...{ source: z.string(), id: z.string(), type: z.string(), subject: z.string(), time: z.string() },
  data: z.unknown(),
});

function rawOf(text: string): RawEvent {
  const { source, id, type, subject, time, data } = Line.parse(JSON.parse(text));
  return {
    ...{ stream: 'executions', source, id, type, subject, extra: null },
    ...{ timeMicros: parseInstant(time), data: JSON.stringify(data) },
  };
}

const Usage = z.object({ usage: z.object({ ops: z.string() }) });
function usedBy({ lines }: History): string {
  const quantities = standingEvents(lines, EVER).map(({ data }) => parseDecimal(Usage.parse(data).usage.ops));
  return formatDecimal(quantities.reduce(addDecimals, ZERO));
}

interface Engine {
  readonly warehouse: Warehouse;
  /** Makes a table of what a query gives; `schema` names where. */
  readonly keep: (schema: string, table: string, sql: string) => Promise<void>;
  close(): Promise<void>;
}

/** A run's reader over what stands up to now, by the macros that runs are made of. */
async function measure(
  { warehouse, keep }: Engine,
  schema: string,
): Promise<{ reader: RunReader; watermark: WatermarkVector }> {
  const { dialect } = warehouse;
  const watermark = await warehouse.positions();
  const within = renderMacro("within_watermark(at, {'any': 1})", dialect, {
    at: watermarkJson(watermark).executions,
  });
  const raw = `(select * from ${warehouse.rawRows('executions')} as all_rows where ${within})`;
  const asOf = castText(dialect, `'${AS_OF}'`, 'timestamp');
  const repeats = `(${renderMacro("repeated_rows('executions', raw, no_decisions())", dialect, { raw })})`;
  const position = renderMacro("position_of('r')", dialect, {});
  const standing = `(select r.* from ${raw} as r left join ${repeats} as rp on ${position} = rp.position where rp.position is null)`;
  const corrections = `(select 'executions' as stream, c.* from (${renderMacro('correction_rows(standing)', dialect, { standing })}) as c)`;
  await keep(schema, 'int_corrections', `select * from ${corrections} as kept`);
  const events = renderMacro(
    "corrected_events(raw, repeats, '(' ~ corrections_in_force(corrections, as_of) ~ ')', as_of)",
    dialect,
    {
      ...{ raw, repeats, as_of: asOf },
      corrections: `${schema}.int_corrections`,
    },
  );
  await keep(
    schema,
    'fct_executions',
    `select * from (${renderMacro('typed_executions(events)', dialect, { events })}) as kept`,
  );
  return {
    watermark,
    reader: {
      ...{ dialect, runId: 'run_1', relation: schema },
      facts: (stream) => `${schema}.fct_${stream}`,
      raw: (stream) => warehouse.rawRows(stream),
      query: (sql, parameters, rowSchema) => warehouse.query(sql, parameters, rowSchema),
      stream: (sql, parameters, rowSchema) => warehouse.stream(sql, parameters, rowSchema),
      release: () => Promise.resolve(),
    },
  };
}

const windowOf = (orgId: string): UsageWindow => ({
  ...{
    windowId: orgId,
    lineId: orgId,
    bucketId: orgId,
    orgId,
    meterId: 'ops',
    meter: METER,
    skipsOwnKey: false,
    otherPackages: [],
    onlyPackages: null,
  },
  ...{ start: parseInstant('2026-03-01T00:00:00Z'), end: parseInstant('2026-04-01T00:00:00Z') },
});

function proveLive(name: string, open: () => Promise<Engine>): void {
  describe(name, () => {
    let engine: Engine;
    const random = new Random(testSeed());
    const histories = Array.from({ length: ORGS }, (_, index) => history(`org_${index}`, random));
    let read: (
      part: LivePart,
      orgIds: readonly string[],
      isCorrected: boolean,
    ) => Promise<ReadonlyMap<string, WindowTotal>>;
    let corrected: ReadonlySet<string>;

    beforeAll(async () => {
      engine = await open();
      const append = (lines: readonly string[]) =>
        engine.warehouse.append(lines.map(rawOf), { recordedAtMicros: parseInstant('2026-03-21T00:00:00Z') });
      await append(histories.flatMap(({ lines, known }) => lines.slice(0, known)));
      const { reader, watermark } = await measure(engine, `live_${Date.now()}`);
      await append(histories.flatMap(({ lines, known }) => lines.slice(known)));
      const run = { runId: 'run_1', location: '', asOf: parseInstant(AS_OF), watermark };
      const until = await engine.warehouse.positions();
      const of = (orgIds: readonly string[]) => ({ run, reader, warehouse: engine.warehouse, until, orgIds });
      read = async (part, orgIds, isCorrected) => {
        const windows = orgIds.map(windowOf);
        const days = { start: windowOf('').start, end: windowOf('').end };
        const aims = isCorrected ? { executions: await readAims(of(orgIds), 'executions') } : {};
        return readUsage(windows, liveReader({ ...of(orgIds), days, aims }, part));
      };
      corrected = (await orgsToCorrect({ ...of(histories.map(({ orgId }) => orgId)) })).executions;
    }, 240_000);
    afterAll(() => engine.close());

    test('what is live is what a plain reading says, of every history', async () => {
      const totals = await read(
        'all',
        histories.map(({ orgId }) => orgId),
        true,
      );
      const wrong = histories.filter((one) => usedNow(totals, one) !== usedBy(one));
      expect(wrong.map((one) => ({ ...one, used: usedNow(totals, one), expected: usedBy(one) }))).toEqual([]);
    });

    test('where corrections have nothing to say, they need not be looked at, and the run and the tail add up', async () => {
      const plain = histories.filter(({ orgId }) => !corrected.has(orgId));
      expect(plain.length).toBeGreaterThan(5);
      expect(plain.length).toBeLessThan(ORGS);
      const orgIds = plain.map(({ orgId }) => orgId);
      const [all, facts, tail] = [
        await read('all', orgIds, false),
        await read('facts', orgIds, false),
        await read('tail', orgIds, false),
      ];
      for (const one of plain) {
        expect(usedNow(all, one)).toBe(usedBy(one));
        const sum = totalOf(facts.get(one.orgId), tail.get(one.orgId), 'sum');
        expect(sum?.eventDigest).toBe(all.get(one.orgId)?.eventDigest);
        expect(used(sum)).toBe(usedBy(one));
      }
    });
  });
}

const used = (total: WindowTotal | undefined): string => formatDecimal(parseDecimal(total?.used ?? '0'));
const usedNow = (totals: ReadonlyMap<string, WindowTotal>, { orgId }: History): string =>
  used(totals.get(orgId));

proveLive('live usage on DuckDB', async () => {
  const opened = await openTestDuckdb();
  const { warehouse } = opened;
  return {
    warehouse,
    close: () => opened.close(),
    keep: async (schema, table, sql) => {
      await warehouse.run(`create schema if not exists ${schema}`);
      await warehouse.run(`create table ${schema}.${table} as ${sql}`);
    },
  };
});

describe.runIf(hasClickHouse())('against the shim', () => {
  let clickHouse: ClickHouse;
  beforeAll(async () => {
    clickHouse = await startClickHouse();
  });
  afterAll(() => clickHouse.stop());
  proveLive('live usage on ClickHouse', async () => {
    const opened = await openTestClickHouse(clickHouse);
    const { warehouse } = opened;
    return {
      warehouse,
      close: () => opened.close(),
      keep: async (schema, table, sql) => {
        await clickHouse.client.command({ query: `create database if not exists ${schema}` });
        const settings = {
          join_use_nulls: 1,
          cast_keep_nullable: 1,
          prefer_column_name_to_alias: 1,
        } as const;
        // The query's own tables are named without their database.
        await clickHouse.client.command({
          query: `create table ${schema}.${table} engine = Memory as ${sql}`,
          clickhouse_settings: settings,
        });
      },
    };
  });
});
