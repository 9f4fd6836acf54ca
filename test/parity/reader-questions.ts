import { z } from 'zod';
import { Random } from '../../fixtures/generator/random.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { metrics } from '../../transforms/metric-registry.js';
import { pickNumbers } from '../support/drilled.js';

const Id = z.object({ id: z.string() });

async function someIds(reader: RunReader, sql: string, random: Random, count: number): Promise<string[]> {
  const rows = await reader.query(sql, {}, Id);
  return rows
    .map(({ id }) => ({ id, place: random.next() }))
    .sort((a, b) => a.place - b.place || (a.id < b.id ? -1 : 1))
    .slice(0, count)
    .map(({ id }) => id);
}

/** Every GET of the API that reads a run, in each of the forms that make other SQL. */
export async function readerQuestions(reader: RunReader, month: string, seed: number): Promise<string[]> {
  const random = new Random(seed);
  const { relation } = reader;
  const orgs = await someIds(
    reader,
    `select org_id as id from ${relation}.int_orgs where not is_excluded`,
    random,
    12,
  );
  const leads = await someIds(reader, `select lead_id as id from ${relation}.lead_scores`, random, 8);
  return [
    ...metricQuestions(),
    ...(await drillQuestions(reader, random)),
    ...orgs.flatMap((id) => [
      `/v1/orgs/${encodeURIComponent(id)}`,
      `/v1/usage/${encodeURIComponent(id)}?live=false`,
      `/v1/billing/preview?month=${month}&org=${encodeURIComponent(id)}`,
    ]),
    ...leads.map((id) => `/v1/leads/${encodeURIComponent(id)}/score`),
    '/v1/orgs?limit=7',
    '/v1/orgs?segment=smb&plan=growth',
    ...['-score', 'score', '-created_at', 'created_at'].map((sort) => `/v1/leads?limit=9&sort=${sort}`),
    '/v1/leads?grade=A&min_score=10&limit=200',
    '/v1/commissions?limit=11',
    `/v1/commissions?status=due&month=${month}`,
    '/v1/targets',
    '/v1/targets?history=true&limit=40',
    '/v1/packages',
    `/v1/billing/preview?month=${month}&limit=1000`,
    '/v1/catalog/diff?from=1&to=2',
  ];
}

function metricQuestions(): string[] {
  return metrics.flatMap(({ name, dimensions, period, currency }) => [
    `/v1/metrics/${name}?limit=10000`,
    ...dimensions.map((dimension) => `/v1/metrics/${name}?by=${dimension}&limit=10000`),
    ...(period === undefined ? [] : [`/v1/metrics/${name}?from=2026-01-01&to=2026-04-01&limit=50`]),
    ...(currency === undefined ? [] : [`/v1/metrics/${name}?currency=EUR&limit=5`]),
  ]);
}

async function drillQuestions(reader: RunReader, random: Random): Promise<string[]> {
  const questions: string[] = [];
  for (const metric of metrics) {
    for (const { question } of await pickNumbers(metric, reader, random, { count: 3 })) {
      const query = new URLSearchParams({ ...question, limit: '100000' });
      questions.push(`/v1/metrics/${metric.name}/drill?${query.toString()}`);
    }
  }
  return questions;
}
