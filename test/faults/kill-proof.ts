import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { STREAMS } from '../../core/raw-event.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { openCompany, type TestCompany } from '../support/company.js';
import { expectEqualMarts, exportMarts } from '../support/marts-export.js';
import { AS_OF, MRR_PER_ORG_MINOR, type SentEvent } from './company-events.js';
import { KilledLife } from './killed-life.js';
import { PHASES, type Phase } from './phases.js';

/** How many kills must have hit each phase before a proof is one. */
export type Quota = Readonly<Record<Phase, number>>;

const Counted = z.object({ identity: z.string(), times: z.bigint() });
const Amount = z.object({ amount: z.union([z.bigint(), z.string()]).transform(BigInt) });

/** Kills until every quota is met, then holds what is counted against what was answered "accepted". */
export async function proveKills(quota: Quota, seed: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-kills-'));
  const startedMs = performance.now();
  try {
    const life = new KilledLife(directory, seed);
    // From here on there are good marts, and nothing may take them away.
    await life.undisturbed();
    const { hits, between } = await killAll(life, quota);
    await life.undisturbed();
    const histogram = PHASES.map((phase) => `${phase} ${hits[phase]}`).join(', ');
    const total = PHASES.reduce((sum, phase) => sum + hits[phase], between);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(
      `${total} kills -9, seed ${seed}: ${histogram}, between phases ${between}; ` +
        `${life.accepted.size} events accepted, ${life.runsRead} runs read, ${seconds} s`,
    );
    const company = await openCompany(directory);
    try {
      await expectCountedOnce(company, life.accepted);
    } finally {
      await company.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function killAll(
  life: KilledLife,
  quota: Quota,
): Promise<{ hits: Record<Phase, number>; between: number }> {
  const hits: Record<Phase, number> = { write: 0, append: 0, export: 0, dbt: 0, files: 0, pointer: 0 };
  let between = 0;
  const isMet = () => PHASES.every((phase) => hits[phase] >= quota[phase]);
  for (let turn = 0; !isMet(); turn += 1) {
    // Round about, so that a kill of one kind meets what every other kind left behind.
    const target = PHASES[turn % PHASES.length];
    if (target === undefined || hits[target] >= quota[target]) continue;
    const hit = await life.killedIn(target);
    if (hit.length === 0) between += 1;
    // Appends go on beside a run: the kill is of the phase that was aimed at, where it hit that one.
    const counted = hit.includes(target) ? target : hit[0];
    if (counted !== undefined) hits[counted] += 1;
  }
  return { hits, between };
}

async function expectCountedOnce(
  company: TestCompany,
  accepted: ReadonlyMap<string, SentEvent>,
): Promise<void> {
  const { runs } = company.runtime.services;
  await runs.withRun({}, async ({ reader }) => {
    for (const stream of STREAMS) {
      const expected = [...accepted.values()].filter((event) => event.stream === stream);
      const counted = await reader.query(
        `SELECT source || ' ' || event_id AS identity, count(*) AS times FROM ${reader.facts(stream)} GROUP BY ALL`,
        {},
        Counted,
      );
      expect(counted.filter(({ times }) => times !== 1n)).toEqual([]);
      const found = new Set(counted.map(({ identity }) => identity));
      expect(expected.filter(({ identity }) => !found.has(identity)).map(({ line }) => line)).toEqual([]);
      expect([...found].filter((identity) => !accepted.has(identity))).toEqual([]);
    }
    const subscriptions = [...accepted.values()].filter(({ isSubscription }) => isSubscription).length;
    const close = `SELECT close_minor AS amount FROM ${reader.relation}.mrr_months
      WHERE month = DATE '2025-02-01' AND currency = 'USD' AND dimension = 'all'`;
    expect(await amount(reader, close)).toBe(BigInt(subscriptions) * MRR_PER_ORG_MINOR);
    const executions = [...accepted.values()].filter(({ stream }) => stream === 'executions').length;
    const ran = `SELECT sum(executions) AS amount FROM ${reader.relation}.org_months`;
    expect(await amount(reader, ran)).toBe(BigInt(executions));
  });
  // What runs kept through all the kills equals what a run over everything makes of it.
  const kept = await runs.withRun({}, ({ run }) => exportMarts(company, run));
  const anew = await company.transform(AS_OF, { fullRefresh: true });
  expectEqualMarts(kept, await exportMarts(company, anew));
}

async function amount(reader: RunReader, sql: string): Promise<bigint | undefined> {
  const [row] = await reader.query(sql, {}, Amount);
  return row?.amount;
}
