import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openApiTestBed, NOW, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { SMALL_RUN, TOKEN } from '../small-run.js';

let bed: ApiTestBed;
beforeAll(async () => {
  bed = await openApiTestBed();
  await bed.runtime.services.vault.put(
    [{ token: TOKEN, field: 'lead.upserted.email', value: 'ana@example.com', person: 'lead:lead_00' }],
    NOW,
  );
  await publishHandMadeRun(bed.runtime, { asOf: NOW, rows: SMALL_RUN });
});
afterAll(() => bed.close());

describe('a lead', () => {
  const path = (id: string) => `/v1/leads/${id}/score?as_of=2026-06-01T12:00:00Z`;
  const Score = z.looseObject({
    lead: z.looseObject({ score: z.int(), email: z.string().nullable() }),
    parts: z.array(
      z.object({ feature: z.string(), part: z.string(), value: z.string().nullable(), points: z.int() }),
    ),
  });

  test('has parts that sum to its score, the base first, then what weighs most', async () => {
    const { lead, parts } = (await bed.call({ path: path('lead_07') })).as(Score);
    expect(lead.score).toBe(7);
    expect(parts.map(({ feature, points }) => [feature, points])).toEqual([
      ['base', 2],
      ['demo_request', 6],
      ['size', -1],
    ]);
  });

  test('whose parts do not sum is an error of ours that shows nothing of itself', async () => {
    const answer = await bed.call({ path: path('lead_06') });
    expect(answer.status).toBe(500);
    expect(answer.problem()).toMatchObject({ code: 'internal' });
    expect(answer.text).not.toContain('lead_06');
  });

  test('that is not there is not found', async () => {
    expect((await bed.call({ path: path('lead_99') })).problem().code).toBe('lead_not_found');
  });
});

describe('personal values', () => {
  const Leads = z.looseObject({
    leads: z.array(z.looseObject({ lead_id: z.string(), email: z.string().nullable() })),
  });
  const Orgs = z.looseObject({ orgs: z.array(z.looseObject({ name: z.string().nullable() })) });
  const asOf = 'as_of=2026-06-01T12:00:00Z';

  test('are shown to those who may read leads; of the erased nothing is shown', async () => {
    const key = await bed.keyWith('leads:read');
    const { leads } = (await bed.call({ path: `/v1/leads?limit=200`, key })).as(Leads);
    expect(leads.find(({ lead_id: id }) => id === 'lead_00')?.email).toBe('ana@example.com');
    expect(leads.find(({ lead_id: id }) => id === 'lead_01')?.email).toBeNull();
    expect(JSON.stringify(leads)).not.toContain('tok_');
  });

  test('stay tokens for everybody else', async () => {
    const [reader, sales] = [
      await bed.keyWith('metrics:read'),
      await bed.keyWith('metrics:read', 'leads:read'),
    ];
    const nameFor = async (key: string) =>
      (await bed.call({ path: `/v1/orgs?${asOf}`, key })).as(Orgs).orgs[0]?.name;
    expect(await nameFor(reader)).toBe(TOKEN);
    expect(await nameFor(sales)).toBe('ana@example.com');
  });
});
