import { beforeAll, describe, expect, test } from 'vitest';
import type { Catalog } from '../../../core/catalog.js';
import { planOf, priceText, targetText } from './plan.js';

/** Each expectation was read in Frontier's plan, not in its YAML. */
let plan: Catalog;
beforeAll(async () => {
  plan = await planOf('frontier');
});

test('three tiers: $0 up to 5 users, $99 and $299+ per user and month', () => {
  expect(Object.entries(plan.plans).map(([id, { price }]) => `${id} ${priceText(price)}`)).toEqual([
    'starter $0.00 month',
    'growth $99.00 month',
    'scale $299.00 month or more',
  ]);
  expect(plan.plans.starter?.seats?.maximum).toBe(5);
  expect(plan.plans.growth?.perSeat).toBe(true);
  expect(plan.plans.scale?.perSeat).toBe(true);
});

test('annual billing saves 10%; two and three years save more, by an assumed amount', () => {
  for (const id of ['growth', 'scale']) {
    const discounts = plan.plans[id]?.discounts;
    expect(discounts?.annual).toEqual({ percent: 100_000, assumed: false });
    expect(discounts?.multiYear.map(({ years }) => years)).toEqual([2, 3]);
    for (const { percent, assumed } of discounts?.multiYear ?? []) {
      expect(percent).toBeGreaterThan(100_000);
      expect(assumed).toBe(true);
    }
  }
});

test('overage: $0.10 per 1,000 operations, $2 per 100 GB, as the plan says', () => {
  for (const id of ['growth', 'scale']) {
    expect(plan.plans[id]?.overage).toMatchObject({
      ai_operations: { model: 'per_block', amount: '0.10', currency: 'USD', block: '1000', assumed: false },
      storage_gb: { model: 'per_block', amount: '2.00', currency: 'USD', block: '100', assumed: false },
    });
  }
  expect(plan.plans.starter?.overage).toEqual({});
});

test('add-ons: premium support $29 per user, integrations $5,000 each on Professional, the rest unpriced', () => {
  expect(
    Object.entries(plan.addons).map(
      ([id, { price }]) => `${id} ${priceText(price).replace(/\$.*\(assumed\)/, 'assumed')}`,
    ),
  ).toEqual([
    'premium_support $29.00 month',
    'custom_integration $5,000.00 once',
    'professional_services assumed',
    'training_program assumed',
    'custom_development assumed',
    'dedicated_infrastructure assumed',
  ]);
  expect(plan.addons.premium_support).toMatchObject({ kind: 'support', perSeat: true });
  expect(plan.addons.custom_integration).toMatchObject({ kind: 'integration', plans: ['growth'] });
});

test('automated upgrades, trial, alerts and limits are there', () => {
  expect(plan.plans.starter).toMatchObject({ upgradesTo: 'growth', autoUpgrade: { policy: 'propose' } });
  expect(plan.plans.growth?.trial?.days).toBe(14);
  expect(plan.plans.growth?.features.usage_alerts).toBe(true);
  for (const [id, { limits }] of Object.entries(plan.plans))
    expect(limits.rates.length, id).toBeGreaterThan(0);
});

describe('partners', () => {
  const rates = (program: string) =>
    Object.values(plan.programs[program]?.rules ?? {}).map((rule) =>
      rule.kind === 'percent' ? rule.percent / 10_000 : rule.kind,
    );

  test('resellers 20 to 30% by volume tier, integrators 25 to 35%', () => {
    expect(rates('resellers')).toEqual([20, 25, 30]);
    expect(rates('integrators')).toEqual([25, 30, 35]);
    for (const program of ['resellers', 'integrators']) {
      expect(Object.keys(plan.programs[program]?.tiers ?? {})).toHaveLength(3);
      expect(Object.values(plan.programs[program]?.rules ?? {}).every(({ assumed }) => assumed)).toBe(true);
    }
  });

  test('affiliates: individual 10%, corporate 15%, of the first year; neither is assumed', () => {
    expect(plan.programs.affiliates?.rules).toMatchObject({
      affiliate_individual: {
        percent: 100_000,
        assumed: false,
        window: { kind: 'first_months', months: 12 },
      },
      affiliate_corporate: {
        percent: 150_000,
        tier: 'corporate',
        assumed: false,
        window: { kind: 'first_months', months: 12 },
      },
    });
    const { affiliate_individual: individual, affiliate_corporate: corporate } =
      plan.programs.affiliates?.rules ?? {};
    // The lower number decides, so that a corporate affiliate gets 15% and everybody else 10%.
    expect(corporate?.precedence).toBeLessThan(individual?.precedence ?? 0);
  });

  test('consultants get a referral fee, influencers what was agreed, technology partners no commission', () => {
    expect(rates('consultants')).toEqual(['flat']);
    expect(rates('influencers')).toEqual(['custom']);
    expect(rates('technology')).toEqual([]);
    expect(plan.programs.technology?.kinds).toEqual(['technology']);
  });
});

describe('targets', () => {
  const ofPhase = (phase: string) =>
    Object.values(plan.targets)
      .filter((target) => target.phase === phase)
      .map(targetText);

  test('phase 1, months 1 to 6', () => {
    expect(plan.phases.phase_1?.months).toMatchObject({ from: 1, to: 6 });
    expect(ofPhase('phase_1')).toEqual([
      'free_users gte 10000',
      'customers gte 500',
      'arr gte 250000000',
      'free_to_paid gte 50000',
      'mau_growth gte 200000',
      'cac lte 20000',
      'median_seconds_to_activation lte 86400',
    ]);
  });

  test('phase 2, months 6 to 12', () => {
    expect(plan.phases.phase_2?.months).toMatchObject({ from: 7, to: 12 });
    expect(ofPhase('phase_2')).toEqual([
      'customers gte 2500',
      'customers scale gte 100',
      'arr gte 1500000000',
      'lead_to_customer gte 150000',
      'deal_size gte 5000000',
      'sales_cycle_days lte 90',
      'ltv gte 25000000',
    ]);
    expect(plan.targets.phase_2_deal_size?.stretch).toMatchObject({ value: 50_000_000n });
  });

  test('phase 3, months 12 and on', () => {
    expect(plan.phases.phase_3?.months).toMatchObject({ from: 13 });
    expect(plan.phases.phase_3?.months?.to).toBeUndefined();
    expect(ofPhase('phase_3')).toEqual([
      'customers gte 10000',
      'customers scale gte 250',
      'arr gte 5000000000',
      'deal_size large_organizations gte 50000000',
      'win_rate gte 250000',
      'sales_cycle_days large_organizations lte 365',
      'nrr_t12 gte 1200000',
    ]);
  });

  test.each([
    ['year_1', 2_500_000, 500, 10_000, 5_000, 200, 85],
    ['year_2', 15_000_000, 2_500, 50_000, 6_000, 300, 87],
    ['year_3', 50_000_000, 10_000, 100_000, 5_000, 250, 90],
  ])('%s', (phase, revenue, customers, free, arpu, cac, margin) => {
    expect(ofPhase(phase)).toEqual([
      `revenue gte ${revenue * 100}`,
      `customers gte ${customers}`,
      `free_users gte ${free}`,
      `arr_per_customer gte ${arpu * 100}`,
      `cac lte ${cac * 100}`,
      `gross_margin gte ${margin * 10_000}`,
    ]);
  });

  test('what is only watched: satisfaction, qualified leads, partner metrics', () => {
    const watched = plan.accountability.flatMap(({ metrics }) => metrics);
    for (const metric of [
      'mau',
      'ltv',
      'nps',
      'sqls',
      'win_rate',
      'partner_sourced_revenue',
      'referral_conversion',
      'partner_satisfaction',
      'payout_accuracy',
    ]) {
      expect(watched).toContain(metric);
    }
  });
});

test('what happens at a limit is assumed: the plan does not say', () => {
  for (const [id, { stopPolicy }] of Object.entries(plan.plans)) {
    expect([id, stopPolicy?.assumed]).toEqual([id, true]);
  }
});
