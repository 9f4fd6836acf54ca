import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishHandMadeRun } from '../../test/hand-made-run.js';
import { openCompany, type TestCompany } from '../../test/support/company.js';
import { at, between, catalogOf, plan } from '../../test/support/rating.js';
import { soleVersion } from '../catalog-versions.js';
import { previewOverage, purseByRating, loadCredits, type OverageRequest } from '../preview-overage.js';
import { decimalOf } from '../../core/decimal.js';
import { Purse } from './credits.js';

/*
 * Where no Stripe is set there is no ledger: what earlier months used up of a credit is rated. 5 cents for each op; $10.00 prepaid in
 * January, of which January uses $6.00 and February, worth $7.00, the rest.
 */
const CATALOGS = soleVersion(
  catalogOf({
    plans: { growth: plan({ overage: { ops: { model: 'per_unit', amount: '0.05', currency: 'USD' } } }) },
  }),
);
const AS_OF = at('2026-03-02T00:00:00Z');
const FEBRUARY = between('2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z');
const request: OverageRequest = { catalogs: CATALOGS, ending: FEBRUARY, asOf: AS_OF };
const fact = (type: string, org: string, id: string, when: string, data: object) => ({
  ...{ subject: org, org_id: org, type, source: '/test', event_id: id, at: when, day: when.slice(0, 10) },
  data: JSON.stringify(data),
});
const subscribed = (org: string) =>
  fact('subscription.started', org, `sub ${org}`, '2026-01-01 00:00:00', {
    ...{ subscriptionId: `sub_${org}`, currency: 'USD' },
    items: [
      {
        ...{ itemId: 'si_1', kind: 'plan', productId: 'growth', quantity: 1, unitAmountMinor: 4900 },
        ...{ interval: 'month', intervalCount: 1 },
      },
    ],
  });
const used = (org: string, ops: number, when: string) => ({
  ...fact('execution.completed', org, `${org} ${when}`, when, {}),
  ...{ package_id: 'any', byo_key: false, meter: null, quantity: null, usage: JSON.stringify({ ops }) },
});
let company: TestCompany;

beforeAll(async () => {
  company = await openCompany();
  await publishHandMadeRun(company.runtime, {
    asOf: AS_OF,
    rows: {},
    facts: {
      billing: [
        ...['org_a', 'org_b'].map(subscribed),
        fact('credit.granted', 'org_a', 'grant', '2026-01-02 00:00:00', {
          ...{ creditId: 'cr_1', amountMinor: '1000', currency: 'USD', reason: 'prepaid' },
        }),
      ],
      executions: [
        used('org_a', 120, '2026-01-15 00:00:00'),
        used('org_a', 140, '2026-02-15 00:00:00'),
        used('org_b', 20, '2026-02-15 00:00:00'),
      ],
    },
  });
});
afterAll(() => company.remove());

test('a preview pays from what the months before have left', async () => {
  const { lines, totals } = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    previewOverage(reader, request),
  );
  const money = lines.map(({ orgId, adjustment, amount }) => [
    orgId,
    adjustment?.kind ?? 'usage',
    amount?.amountMinor,
  ]);
  expect(money.sort()).toEqual([
    ['org_a', 'credit', -400n],
    ['org_a', 'usage', 700n],
    ['org_b', 'usage', 100n],
  ]);
  expect(totals).toEqual([{ currency: 'USD', amountMinor: 400n }]);
});

test('with a ledger, what that says is used, and nothing else', async () => {
  const purse = (credits: ConstructorParameters<typeof Purse>[0]) => new Purse(credits);
  const { totals } = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    previewOverage(reader, { ...request, purse }),
  );
  // Nothing was billed of January, so all of the credit is there: 7.00 of it.
  expect(totals).toEqual([{ currency: 'USD', amountMinor: 100n }]);
});

test('what is left of credits is what all months that are over have left', async () => {
  await company.runtime.services.runs.withRun({}, async ({ reader }) => {
    const [credit] = await loadCredits(reader, 'org_a');
    const purse = await purseByRating(reader, request);
    expect(credit && [purse.spentOf(credit), purse.leftOf(credit).unscaled]).toEqual([decimalOf(1_000n), 0n]);
    expect(await loadCredits(reader, 'org_b')).toEqual([]);
  });
});
