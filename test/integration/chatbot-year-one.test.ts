import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { CHATBOT_YEAR_ONE, chatbotYearOne } from '../../fixtures/chatbot-year-one.js';
import { apiOf } from '../support/api.js';
import { catalogFile, openCompany, type TestCompany } from '../support/company.js';

/*
 * The chatbot plan's own table: 150 Starter, 40 Professional and 5 Enterprise customers are $20,305.00 a month and $243,660.00 a year.
 */
const Answer = z.object({ values: z.array(z.object({ period: z.string(), value: z.string() })) });

let company: TestCompany;

beforeAll(async () => {
  company = await openCompany();
  await company.runtime.services.publishCatalog(await catalogFile('chatbot'), 'test');
  const lines = chatbotYearOne();
  expect(await company.ingest(lines)).toMatchObject({ accepted: lines.length, quarantined: 0 });
  await company.transform(CHATBOT_YEAR_ONE.asOf);
});
afterAll(() => company.remove());

test.each([
  ['mrr', 2_030_500n, CHATBOT_YEAR_ONE.mrrMinor],
  ['arr', 24_366_000n, CHATBOT_YEAR_ONE.arrMinor],
  ['customers', 195n, BigInt(CHATBOT_YEAR_ONE.customers)],
  // $20,305.00 / 195 = $104.128…
  ['arpa', 10_413n, 10_413n],
])('%s of the last month', async (metric, byThePlan, byTheFixture) => {
  const { values } = await apiOf(company).get(
    `/v1/metrics/${metric}?from=2026-09-01&to=2026-10-01&currency=USD`,
    Answer,
  );
  expect(values).toEqual([{ period: '2026-09-01', value: byThePlan.toString() }]);
  expect(byTheFixture).toBe(byThePlan);
});
