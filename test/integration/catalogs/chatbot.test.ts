import { beforeAll, expect, test } from 'vitest';
import type { Catalog } from '../../../core/catalog.js';
import { formatMoney } from '../../../core/money.js';
import { planOf, priceText, targetText } from './plan.js';

/** Each expectation was read in the chatbot platform's plan, not in its YAML. */
let plan: Catalog;
beforeAll(async () => {
  plan = await planOf('chatbot');
});

test('tiers: free, $49, $199, $999, none of them assumed', () => {
  expect(Object.entries(plan.plans).map(([id, { price }]) => `${id} ${priceText(price)}`)).toEqual([
    'free $0.00 month',
    'starter $49.00 month',
    'professional $199.00 month',
    'enterprise $999.00 month',
  ]);
});

test('150 Starter, 40 Professional and 5 Enterprise are $20,305 MRR and $243,660 ARR, and so say the targets', () => {
  const customers = { starter: 150n, professional: 40n, enterprise: 5n };
  const mrrMinor = Object.entries(customers).reduce(
    (sum, [id, count]) => sum + count * (plan.plans[id]?.price.amountMinor ?? 0n),
    0n,
  );
  expect(formatMoney({ amountMinor: mrrMinor, currency: 'USD' })).toBe('$20,305.00');
  expect(formatMoney({ amountMinor: mrrMinor * 12n, currency: 'USD' })).toBe('$243,660.00');
  expect(targetText(plan.targets.year_1_model_mrr)).toBe('mrr gte 2030500');
  expect(targetText(plan.targets.year_1_model_arr)).toBe('arr gte 24366000');
});

test('included conversations: 1,000, 10,000, 50,000, unlimited', () => {
  const included = Object.values(plan.plans).map(({ allowances }) => allowances.conversations);
  expect(included.map((allowance) => allowance?.quantity ?? 'unlimited')).toEqual([
    '1000',
    '10000',
    '50000',
    'unlimited',
  ]);
  expect(included.every((allowance) => allowance?.assumed === false)).toBe(true);
});

test('features: chatbots, analytics, support and the rest as the plan lists them', () => {
  const { free, starter, professional, enterprise } = plan.plans;
  expect(free?.features).toEqual({ chatbots: 1, templates: true, self_hosting: true, support: 'community' });
  expect(starter?.features).toMatchObject({
    chatbots: 5,
    analytics: 'dashboard',
    support: 'email',
    integrations: 'basic',
  });
  expect(professional?.features).toMatchObject({
    chatbots: 'unlimited',
    analytics: 'advanced',
    knowledge_base: true,
    support: 'priority',
    integrations: 'custom_built',
  });
  expect(enterprise?.features).toMatchObject({
    white_label: true,
    advanced_security: true,
    support: 'dedicated',
    sla: true,
    custom_development: true,
  });
});

test('revenue mix: 70% subscriptions, 15% overages, 10% services, 5% licences', () => {
  expect(plan.revenueMix).toEqual({
    subscription: { percent: 700_000, assumed: false },
    overage: { percent: 150_000, assumed: false },
    services: { percent: 100_000, assumed: false },
    licence: { percent: 50_000, assumed: false },
  });
  // Each stream has something to sell; where the plan names no price it is assumed.
  expect(plan.plans.starter?.overage.conversations?.assumed).toBe(true);
  expect(plan.addons.professional_services).toMatchObject({ kind: 'services', price: { assumed: true } });
  expect(plan.addons.enterprise_licence).toMatchObject({ kind: 'licence', price: { assumed: true } });
});

test('three phases with segments, months and goals', () => {
  expect(Object.keys(plan.segments)).toEqual(['developers', 'smb', 'enterprise']);
  const months = (phase: string) => [plan.phases[phase]?.months?.from, plan.phases[phase]?.months?.to];
  expect([months('phase_1'), months('phase_2'), months('phase_3')]).toEqual([
    [1, 6],
    [7, 12],
    [13, 24],
  ]);
  const goals = (phase: string) =>
    Object.values(plan.targets)
      .filter((target) => target.phase === phase)
      .map(targetText);
  expect(goals('phase_1')).toEqual(['free_users gte 1000', 'customers gte 50']);
  expect(goals('phase_2')).toEqual(['customers gte 500', 'arr gte 100000000']);
  expect(goals('phase_3')).toEqual([
    'customers enterprise gte 50',
    'arr gte 500000000',
    'target_accounts gte 500',
  ]);
});

test('success metrics, technical and business', () => {
  const goals = Object.values(plan.targets)
    .filter((target) => target.phase === undefined)
    .map(targetText);
  expect(goals).toEqual([
    'uptime gte 995000',
    'response_time lte 200',
    'conversations_per_second gte 1000',
    'resolution_time lte 86400',
    'cac lte 20000',
    'logo_churn lte 50000',
    'nrr_t12 gte 1100000',
    'median_seconds_to_activation lte 1800',
    'arpa_growth gte 200000',
    'customer_growth gte 2000000',
  ]);
});

test.each([
  ['year_1', 500_000, 1_000_000, 200],
  ['year_2', 2_500_000, 5_000_000, 1_000],
  ['year_3', 10_000_000, 20_000_000, 4_000],
])('%s: the band of ARR and the customers', (year, least, most, customers) => {
  expect(targetText(plan.targets[`${year}_arr`])).toBe(`arr gte ${least * 100}`);
  expect(plan.targets[`${year}_arr`]?.stretch).toMatchObject({ value: BigInt(most * 100) });
  expect(targetText(plan.targets[`${year}_customers`])).toBe(`customers gte ${customers}`);
});

test('the model of year 1: 5,000 free, 150 Starter, 40 Professional, 5 Enterprise', () => {
  const texts = ['free_users', 'starter', 'professional', 'enterprise'].map((id) =>
    targetText(plan.targets[`year_1_${id}`]),
  );
  expect(texts).toEqual([
    'free_users gte 5000',
    'customers starter gte 150',
    'customers professional gte 40',
    'customers enterprise gte 5',
  ]);
});

test('what happens at a limit, and keys of the customer’s own, are assumed: the plan names neither', () => {
  for (const [id, { stopPolicy, ownKey }] of Object.entries(plan.plans)) {
    expect([id, stopPolicy?.assumed, ownKey?.assumed]).toEqual([id, true, true]);
  }
});

test('the revenue mix has an owner, whom the plan does not name', () => {
  expect(plan.accountability).toMatchObject([
    { metrics: ['revenue_share'], owner: 'Finance', cadence: ['monthly'], assumed: true },
  ]);
});
