import { beforeAll, expect, test } from 'vitest';
import type { Catalog } from '../../../core/catalog.js';
import { planOf, statedPaths } from './plan.js';

/** Each expectation was read in Nexus' plan, not in its YAML. */
let plan: Catalog;
beforeAll(async () => {
  plan = await planOf('nexus');
});

test('segments, with role, motion and priority', () => {
  expect(
    Object.entries(plan.segments).map(
      ([id, { role, motion, priority }]) => `${id} ${role} ${motion} P${priority}`,
    ),
  ).toEqual([
    'dev_platform_teams primary self_serve P1',
    'vertical_saas primary self_serve_and_sales P1',
    'scale_ups primary sales_assisted P2',
    'enterprises secondary direct_sales P3',
    'ecosystem_builders secondary marketplace P3',
  ]);
});

test('channels: product-led, sales and partners, marketing and community', () => {
  const kinds = Object.values(plan.channels).map(({ kind }) => kind);
  for (const kind of ['product', 'sales', 'partner', 'marketing', 'community', 'marketplace'] as const) {
    expect(kinds).toContain(kind);
  }
});

test('the plan names no price, rate or goal, so all of them are assumed', () => {
  for (const section of ['plans', 'addons', 'targets'] as const) {
    const stated = statedPaths(plan[section], section).filter((path) => !path.endsWith('.accountable'));
    expect(stated, section).toEqual([]);
  }
  for (const { rules } of Object.values(plan.programs)) {
    for (const [id, { assumed }] of Object.entries(rules)) expect(assumed, id).toBe(true);
  }
});

test('a free tier, a trial, an upgrade path, and an enterprise tier', () => {
  expect(plan.plans.developer?.price.amountMinor).toBe(0n);
  expect(plan.plans.team?.trial).toBeDefined();
  expect(plan.plans.developer?.upgradesTo).toBe('team');
  expect(plan.plans.business?.upgradesTo).toBe('enterprise');
  expect(plan.plans.enterprise).toBeDefined();
});

test('the engines that the plan names are features; compliance, SLA and policy are sold beside the plans', () => {
  for (const engine of [
    'usage_tracker',
    'license_manager',
    'subscription_service',
    'pricing_engine',
    'compliance_engine',
    'sla_manager',
    'policy_engine',
    'marketplace_engine',
  ]) {
    expect(Object.keys(plan.features)).toContain(engine);
  }
  expect(plan.addons).toMatchObject({
    compliance_engine: { kind: 'compliance' },
    sla_manager: { kind: 'sla' },
    policy_engine: { kind: 'governance' },
  });
});

test('partners: integrators, resellers, referral, and vendors with a revenue share', () => {
  expect(Object.entries(plan.programs).map(([id, { kinds }]) => `${id}: ${kinds.join(' ')}`)).toEqual([
    'integrators: integrator',
    'resellers: reseller',
    'referrals: consultant affiliate',
    'marketplace_vendors: vendor technology',
  ]);
  expect(plan.programs.marketplace_vendors?.rules.vendor_share?.lineKinds).toEqual(['marketplace']);
});

test('four phases, each with what success means', () => {
  const metricsOf = (phase: string) =>
    Object.values(plan.targets)
      .filter((target) => target.phase === phase)
      .map(({ metric }) => metric);
  expect(plan.phases.phase_1?.success).toEqual([
    'N paying tenants',
    'Documented use cases',
    'NPS or qualitative feedback',
  ]);
  expect(metricsOf('phase_1')).toEqual(expect.arrayContaining(['customers', 'nps']));
  expect(metricsOf('phase_2')).toEqual(
    expect.arrayContaining(['mrr_growth', 'activation', 'free_to_paid', 'cac', 'ltv']),
  );
  expect(metricsOf('phase_3')).toEqual(
    expect.arrayContaining(['arr', 'nrr_t12', 'contract_value', 'contract_months', 'item_attach']),
  );
  expect(metricsOf('phase_4')).toEqual(
    expect.arrayContaining(['marketplace_gmv', 'partners', 'listings', 'marketplace_take']),
  );
});

test("the accountability table is the plan's, word for word", () => {
  expect(
    plan.accountability.map(({ label, owner, cadence }) => `${label} | ${owner} | ${cadence.join(' / ')}`),
  ).toEqual([
    'Signups / trials | Marketing / product | weekly',
    'Activation | Product | weekly',
    'MRR / ARR | Revenue / finance | monthly',
    'Pipeline and conversion | Sales | weekly / monthly',
    'NRR and churn | Customer success | quarterly',
    'CAC, LTV, payback | Finance / growth | quarterly',
  ]);
  expect(plan.accountability.every(({ assumed }) => !assumed)).toBe(true);
});
