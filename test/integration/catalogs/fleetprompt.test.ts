import { beforeAll, describe, expect, test } from 'vitest';
import type { Catalog } from '../../../core/catalog.js';
import { planOf, targetText } from './plan.js';

/** Each expectation was read in FleetPrompt's plan, not in its YAML. */
let plan: Catalog;
beforeAll(async () => {
  plan = await planOf('fleetprompt');
});

test('agencies of 5 to 50 people are the beachhead, shops second, regulated deferred', () => {
  expect(plan.segments.marketing_agencies).toMatchObject({
    role: 'primary',
    idealCustomer: true,
    priority: 1,
    employees: { from: 5, to: 50 },
  });
  expect(plan.segments.ecommerce_operators).toMatchObject({ role: 'secondary', idealCustomer: false });
  expect(plan.segments.regulated_services?.role).toBe('deferred');
  expect(plan.segments.marketing_agencies?.buyTriggers).toHaveLength(3);
});

describe('packages', () => {
  test('there are three layers, each priced inside its band, each price marked assumed', () => {
    const bands = {
      surface: [4_900n, 14_900n],
      workflow: [14_900n, 49_900n],
      system: [49_900n, 199_900n],
    } as const;
    const layers = new Set<string>();
    for (const [id, { layer, price }] of Object.entries(plan.packages)) {
      const [least, most] = bands[layer];
      expect(price.amountMinor >= least && price.amountMinor <= most, id).toBe(true);
      expect(price, id).toMatchObject({ currency: 'USD', interval: 'month', assumed: true });
      layers.add(layer);
    }
    expect([...layers].sort()).toEqual(['surface', 'system', 'workflow']);
  });

  test('the lighthouse set is the four that the plan suggests; website chat is a package like others', () => {
    const lighthouses = Object.entries(plan.packages).filter(([, { lighthouse }]) => lighthouse);
    expect(lighthouses.map(([id]) => id).sort()).toEqual([
      'campaign_monitoring_alerts',
      'client_followup_copilot',
      'client_reporting_autopilot',
      'lead_intake_triage',
    ]);
    expect(plan.packages.website_chat).toMatchObject({ layer: 'surface', lighthouse: false });
    expect(plan.packages.mattermost_ops_digest?.layer).toBe('surface');
    expect(plan.packages.agency_delivery_os?.layer).toBe('system');
  });

  test('each is sellable: one job, a surface, a quota, a first value within 15 minutes, one or two neighbours', () => {
    for (const [id, item] of Object.entries(plan.packages)) {
      expect(item.job.length, id).toBeGreaterThan(0);
      expect(item.surface.length, id).toBeGreaterThan(0);
      expect(Object.keys(item.allowances), id).toContain('executions');
      expect(item.firstValue.within, id).toEqual({ seconds: 900, assumed: false });
      expect([1, 2], id).toContain(item.adjacentTo.length);
      expect(item.stopPolicy, id).toBeDefined();
    }
  });

  test('each passes the ship gate: onboarding, safe defaults, logs, uninstall, a success metric', () => {
    for (const [id, { maturity }] of Object.entries(plan.packages)) {
      expect(maturity, id).toMatchObject({ onboarding: true, safeDefaults: true, auditLogs: true });
      expect(maturity.uninstall, id).not.toBe('missing');
      expect(maturity.successMetric, id).toBeDefined();
    }
    expect(plan.readinessGate).toBeDefined();
  });

  test('first values are those the plan names', () => {
    expect(plan.packages.mattermost_ops_digest?.firstValue.description).toBe(
      'First scheduled insight posted to a real channel',
    );
    expect(plan.packages.client_followup_copilot?.firstValue.description).toBe(
      'First drafted reply saved and approved',
    );
    expect(plan.packages.shopify_order_resolver?.firstValue.description).toBe(
      'First order issue resolved with a suggested response and action',
    );
  });

  test('adjacency goes Reporting → Client Comms → Campaign Ops → Lead Intake → Billing summaries', () => {
    const chain = [
      'client_reporting_autopilot',
      'client_followup_copilot',
      'campaign_monitoring_alerts',
      'lead_intake_triage',
      'billing_summaries',
    ];
    for (const [index, next] of chain.slice(1).entries()) {
      expect(plan.packages[chain[index] ?? '']?.adjacentTo).toContain(next);
    }
  });
});

test('bundles are discounted, for agencies, with a trial of 7 to 14 days that usage caps', () => {
  const apart = ['client_reporting_autopilot', 'client_followup_copilot', 'lead_intake_triage'].reduce(
    (sum, id) => sum + (plan.packages[id]?.price.amountMinor ?? 0n),
    0n,
  );
  const { agency_starter: starter, agency_growth: growth } = plan.bundles;
  expect(starter?.price?.amountMinor).toBeLessThan(apart);
  expect(growth?.discount).toEqual({ percent: 200_000, assumed: true });
  for (const bundle of [starter, growth]) {
    expect(bundle?.segments).toEqual(['marketing_agencies']);
    expect(bundle?.trial?.days).toBeGreaterThanOrEqual(7);
    expect(bundle?.trial?.days).toBeLessThanOrEqual(14);
    expect(Object.keys(bundle?.trial?.caps ?? {})).not.toEqual([]);
  }
});

test('the free tier is strict, the Complete tier premium, own keys are allowed', () => {
  expect(plan.plans.free).toMatchObject({
    price: { amountMinor: 0n },
    stopPolicy: { default: 'hard', choices: ['hard'] },
  });
  expect(plan.plans.free?.only.packages).toEqual(['mattermost_ops_digest']);
  expect(plan.plans.complete).toMatchObject({
    price: { amountMinor: 199_900n, assumed: true },
    ownKey: { allowed: true },
  });
  expect(plan.plans.complete?.features).toMatchObject({ unified_console: true, central_governance: true });
});

test('both stops are on offer: hard pauses, soft bills', () => {
  const policies = Object.values(plan.packages).map(({ stopPolicy }) => stopPolicy?.default);
  expect(new Set(policies)).toEqual(new Set(['hard', 'soft']));
  expect(plan.packages.client_reporting_autopilot?.stopPolicy?.choices).toEqual(['hard', 'soft']);
});

test('overages are what the plan wants to bill later: tokens, events, runs', () => {
  const metered = new Set(Object.values(plan.packages).flatMap(({ overage }) => Object.keys(overage)));
  expect([...metered].sort()).toEqual(['executions', 'inbound_events', 'llm_tokens']);
  for (const { overage } of Object.values(plan.packages)) {
    for (const price of Object.values(overage)) expect(price.assumed).toBe(true);
  }
});

test('channels: self-serve first, agency partners, listings from phase 3 on', () => {
  expect(plan.channels.marketplace?.kind).toBe('product');
  expect(plan.channels.agency_partners?.kind).toBe('partner');
  expect(plan.channels.mattermost_marketplace).toMatchObject({ kind: 'marketplace', fromPhase: 'phase_3' });
  expect(plan.channels.shopify_app_store).toMatchObject({ kind: 'marketplace', fromPhase: 'phase_3' });
});

test('partners get a margin whose size the plan leaves open', () => {
  const rules = Object.values(plan.programs.agency_partners?.rules ?? {});
  expect(rules.length).toBeGreaterThan(0);
  expect(rules.every(({ assumed }) => assumed)).toBe(true);
});

test('experiments E1 to E4 stand as written', () => {
  expect(Object.keys(plan.experiments)).toEqual(['e1', 'e2', 'e3', 'e4']);
  expect(plan.experiments.e1).toMatchObject({ goal: 'install.first_value', threshold: '15 minutes, median' });
  expect(plan.experiments.e2?.variants).toMatchObject({
    a: { name: 'AI packages inside your tools' },
    b: { name: 'Marketplace for agent workflows' },
  });
  expect(Object.keys(plan.experiments.e3?.variants ?? {})).toEqual(['single', 'bundle']);
  expect(plan.experiments.e4).toMatchObject({
    unit: 'partner',
    goal: 'workspace.provisioned',
    threshold: '5 agencies',
  });
});

test('three phases, and the success metrics as targets', () => {
  expect(Object.keys(plan.phases)).toEqual(['phase_1', 'phase_2', 'phase_3']);
  const targets = Object.values(plan.targets).map(targetText);
  expect(targets).toContain('design_partners gte 10');
  expect(targets).toContain('lighthouse_packages_active gte 3');
  expect(targets).toContain('median_seconds_to_first_value lte 900');
  expect(targets).toContain('install_survival_30d gte 500000');
  expect(targets).toContain('install_survival_30d client_reporting_autopilot gte 500000');
  expect(targets).toContain('partners gte 5');
  expect(targets).toContain('proven_packages gte 10');
  // Named without a figure: attach rises, retention by bundles, a meaningful partner share.
  expect(targets).toContain('partner_share_of_new_orgs gte 200000 (assumed)');
  expect(targets.filter((text) => text.startsWith('attach_rate'))).toHaveLength(2);
  expect(Object.values(plan.targets).every(({ accountable }) => accountable.assumed)).toBe(true);
});
