/**
 * A catalog as small as one can be that still has a thing of each kind: what tests change in one place.
 * A function, so that no test sees another's change.
 */
export function exampleDocument() {
  return { ...exampleMarket(), ...exampleOffer(), ...exampleRules() };
}

function exampleMarket() {
  return {
    catalog: 'acme',
    name: 'Acme',
    zone: 'Europe/Berlin',
    currencies: ['USD', 'EUR'],
    reportingCurrency: 'USD',
    launchedOn: '2025-01-31',
    segments: {
      agencies: {
        name: 'Agencies',
        profile: 'Small agencies',
        role: 'primary',
        idealCustomer: true,
        motion: 'self_serve',
        priority: 1,
      },
      shops: {
        name: 'Shops',
        profile: 'Online shops',
        role: 'secondary',
        motion: 'direct_sales',
        priority: 2,
      },
    },
    phases: { launch: { name: 'Launch', goal: 'First customers', months: { from: 1, to: 6 } } },
    targets: {
      customers: {
        metric: 'customers',
        phase: 'launch',
        comparator: 'gte',
        goal: { count: 50 },
        accountable: { owner: 'Growth', cadence: 'weekly' },
      },
    },
  };
}

function exampleOffer() {
  return {
    features: {
      seats: { name: 'Seats', kind: 'count' },
      exports: { name: 'Exports' },
      support: { name: 'Support', kind: 'level', levels: ['email', 'phone'] },
    },
    meters: {
      ai_operations: {
        name: 'AI operations',
        unit: 'operation',
        stream: 'executions',
        eventType: 'execution.completed',
        key: 'ai_operations',
        aggregation: 'sum',
      },
    },
    packages: {
      digest: examplePackage('Digest', '49.00', { adjacentTo: ['report'] }),
      report: examplePackage('Report', '149.00', { adjacentTo: ['digest'], segments: ['agencies'] }),
      desk: examplePackage('Desk', '52.00', { plans: ['growth'], requires: ['report'] }),
    },
    bundles: {
      pair: {
        name: 'Pair',
        summary: 'Two of them',
        packages: ['digest', 'report'],
        discount: { percent: '25' },
      },
      trio: {
        name: 'Trio',
        summary: 'All',
        packages: ['desk'],
        bundles: ['pair'],
        price: { amount: '200.00', currency: 'USD', interval: 'month' },
      },
    },
    plans: {
      free: {
        name: 'Free',
        tier: 1,
        price: { amount: '0', currency: 'USD', interval: 'month' },
        only: { packages: ['digest'], bundles: [], addons: [] },
        upgradesTo: 'growth',
        allowances: { ai_operations: { quantity: '100', per: 'month' } },
        features: { seats: 5, support: 'email' },
      },
      growth: {
        name: 'Growth',
        tier: 2,
        price: { amount: '99.00', currency: 'USD', interval: 'month' },
        perSeat: true,
        discounts: { annual: { percent: '10' } },
        allowances: { ai_operations: { quantity: '10000' } },
        overage: { ai_operations: { model: 'per_block', amount: '0.10', currency: 'USD', block: '1000' } },
        features: { seats: 'unlimited', exports: true, support: 'phone' },
      },
    },
    addons: {
      setup: {
        name: 'Setup',
        kind: 'services',
        price: { amount: '5000.00', currency: 'USD', interval: 'once' },
        plans: ['growth'],
      },
    },
  };
}

function exampleRules() {
  return {
    programs: {
      affiliates: {
        name: 'Affiliates',
        kinds: ['affiliate'],
        attribution: { touch: 'last', windowDays: 60 },
        payout: {},
        tiers: { individual: { name: 'Individual', next: 'corporate' }, corporate: { name: 'Corporate' } },
        rules: {
          first_year: {
            kind: 'percent',
            percent: '10',
            window: { kind: 'first_months', months: 12, anchor: 'first_payment' },
          },
        },
      },
    },
    leadScore: {
      modelVersion: 'scorecard_1',
      basePoints: 10,
      halfLifeDays: 14,
      fit: {
        industry: {
          operator: 'in',
          feature: 'industry',
          field: 'company.industry',
          values: ['marketing', 'media'],
          points: 30,
        },
      },
      engagement: { demo: { feature: 'demos', activity: 'demo_request', points: 25, maxPoints: 25 } },
      grades: { fit: { A: 30, B: 20, C: 10, D: 0 }, engagement: { '1': 30, '2': 20, '3': 10, '4': 0 } },
      bands: { hot: { minimumScore: 60, lifecycle: 'SQL' } },
    },
  };
}

function examplePackage(name: string, amount: string, more: Readonly<Record<string, readonly string[]>>) {
  return {
    name,
    layer: 'workflow',
    job: 'One job',
    surface: 'A channel',
    price: { amount, currency: 'USD', interval: 'month' },
    firstValue: { event: 'first_post', description: 'First post', within: { minutes: 15 } },
    maturity: { onboarding: true, safeDefaults: true, auditLogs: true, uninstall: 'rollback' },
    ...more,
  };
}

/** The example with the value at `path` replaced; a value of undefined takes the field away. */
export function exampleWith(path: readonly string[], value: unknown): unknown {
  const document: unknown = exampleDocument();
  const last = path.at(-1);
  const parent = path.slice(0, -1).reduce<unknown>(childOf, document);
  if (typeof parent !== 'object' || parent === null || last === undefined) {
    throw new Error(`the example has no ${path.join('.')}`);
  }
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else Reflect.set(parent, last, value);
  return document;
}

function childOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
