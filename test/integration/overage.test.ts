import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OverageLine } from '../../billing/overage-plan.js';
import { explainOverageLine, previewOverage, type OverageRequest } from '../../billing/preview-overage.js';
import { startOfDay } from '../../core/calendar.js';
import type { Catalog } from '../../core/catalog.js';
import { eventSetDigest } from '../../core/event-set.js';
import {
  addMonths,
  formatDate,
  formatInstant,
  parseDate,
  parseInstant,
  type Period,
} from '../../core/time.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import type { RuledFrom } from '../oracles/overage-holdings.js';
import { expectedOverage } from '../oracles/overage-oracle.js';
import { textOfActual, textOfExpected } from '../oracles/overage-text.js';
import { standingEvents, type StandingEvent } from '../oracles/standing-events.js';
import type { TestCompany } from '../support/company.js';
import { openMeasuredCompany } from '../support/measured-company.js';
import { md5 } from '../support/rating.js';

/*
 * What the preview says, against a second rater that reads the raw lines of the file and shares no code with billing/. With every
 * fault on, for every month that is over. The catalogs' own allowances are large and leave few lines, so the same company is also
 * rated with allowances a fraction of theirs, with prices in one currency, and with a second version in the middle.
 */
type Sold = Catalog['plans'][string] | Catalog['packages'][string];

/** Every allowance times `share`. */
function shrunk(catalog: Catalog, share: number): Catalog {
  const smaller = <Product extends Sold>(product: Product): Product => ({
    ...product,
    allowances: Object.fromEntries(
      Object.entries(product.allowances).map(([meter, allowance]) => [
        meter,
        allowance.quantity === undefined
          ? allowance
          : { ...allowance, quantity: String(Math.ceil(Number(allowance.quantity) * share)) },
      ]),
    ),
  });
  return mapped(catalog, smaller, smaller);
}

/** Overage prices in dollars alone, and twice what they were. */
function dearer(catalog: Catalog): Catalog {
  const raised = <Product extends Sold>(product: Product): Product => ({
    ...product,
    overage: Object.fromEntries(
      Object.entries(product.overage).map(([meter, price]) => [
        meter,
        price.model === 'per_unit' || price.model === 'per_block'
          ? {
              ...price,
              amount: `${2 * Number(price.amount) * 1e9}`.padStart(10, '0').replace(/(.{9})$/, '.$1'),
              otherCurrencies: [],
            }
          : price,
      ]),
    ),
  });
  return mapped(catalog, raised, raised);
}

function mapped(
  catalog: Catalog,
  plan: (plan: Catalog['plans'][string]) => Catalog['plans'][string],
  pack: (pack: Catalog['packages'][string]) => Catalog['packages'][string],
): Catalog {
  const entries = <Value>(record: Record<string, Value>, map: (value: Value) => Value) =>
    Object.fromEntries(Object.entries(record).map(([id, value]) => [id, map(value)]));
  return { ...catalog, plans: entries(catalog.plans, plan), packages: entries(catalog.packages, pack) };
}

function publishedAs(versions: readonly RuledFrom[]): OverageRequest['catalogs'] {
  return versions.map(({ catalog, from }, index) => {
    const next = versions[index + 1]?.from ?? null;
    return {
      version: BigInt(index + 1),
      catalog,
      effectiveFrom: from === null ? null : formatInstant(from),
      effectiveTo: next === null ? null : formatInstant(next),
    };
  });
}

/** What changes what usage comes to has tests of its own. */
const usageOf = (lines: readonly OverageLine[]) => lines.filter(({ adjustment }) => adjustment === null);

/** Which share of its allowances a company of 60 orgs exceeds often enough: where runs are counted, few do. */
const SHARES = [
  ['fleetprompt', 0.02],
  ['frontier', 0.1],
  ['chatbot', 0.001],
  ['nexus', 0.001],
] as const;

describe.each(SHARES)('%s', (name, share) => {
  let company: TestCompany;
  let catalog: Catalog;
  let events: readonly StandingEvent[];
  let endsAt: string;

  beforeAll(async () => {
    const measured = await openMeasuredCompany(name);
    ({ company, catalog, endsAt } = measured);
    events = standingEvents(measured.lines, endsAt);
  });
  afterAll(() => company.remove());

  const inRun = <Result>(work: (reader: RunReader) => Promise<Result>): Promise<Result> =>
    company.runtime.services.runs.withRun({}, ({ reader }) => work(reader));

  /** Months that end by `endsAt`, the last first. */
  function months(count: number): Period[] {
    const last = parseDate(endsAt.slice(0, 10));
    return Array.from({ length: count }, (_, index) => ({
      start: startOfDay(addMonths(last, -index - 1), catalog.zone),
      end: startOfDay(addMonths(last, -index), catalog.zone),
    }));
  }

  const variants: readonly [string, (catalog: Catalog) => RuledFrom[]][] = [
    ['as published', (original) => [{ catalog: original, from: null }]],
    [
      'with a small share of the allowances',
      (original) => [{ catalog: shrunk(original, share), from: null }],
    ],
    ['without prices in euros', (original) => [{ catalog: dearer(shrunk(original, 2 * share)), from: null }]],
    [
      'with a second version in the middle',
      (original) => [
        { catalog: shrunk(original, share), from: null },
        { catalog: dearer(shrunk(original, 3 * share)), from: parseInstant('2026-03-11T15:00:00Z') },
      ],
    ],
  ];

  test.each(variants)(
    'every line of every month, %s, is what the raw lines come to',
    async (_, versionsOf) => {
      const versions = versionsOf(catalog);
      const asOf = parseInstant(endsAt);
      let found = 0;
      for (const ending of months(13)) {
        const plan = await inRun((reader) =>
          previewOverage(reader, { catalogs: publishedAs(versions), ending, asOf }),
        );
        const expected = expectedOverage(events, versions, ending, asOf);
        expect(
          usageOf(plan.lines).map(textOfActual).sort(),
          formatDate(parseDate(formatInstant(ending.end).slice(0, 10))),
        ).toEqual(expected.map(textOfExpected).sort());
        found += expected.length;
      }
      if (versions[0]?.catalog !== catalog) expect(found).toBeGreaterThan(20);
    },
  );

  test('a line is explained by its very events', async () => {
    const versions = [{ catalog: shrunk(catalog, share), from: null }];
    const asOf = parseInstant(endsAt);
    const [ending] = months(1);
    if (ending === undefined) throw new Error('a month is over');
    const request = { catalogs: publishedAs(versions), ending, asOf };
    const expected = expectedOverage(events, versions, ending, asOf);
    const lines = usageOf((await inRun((reader) => previewOverage(reader, request))).lines);
    for (const line of lines.slice(0, 8)) {
      const explained = await inRun((reader) => explainOverageLine(reader, request, line.lineId));
      const twin = expected.find(
        (one) =>
          one.subscriptionId === line.subscriptionId &&
          one.meterId === line.meterId &&
          one.start === line.period.start,
      );
      expect(explained.line).toEqual(line);
      expect(explained.events.map(({ source, eventId }) => `${source} ${eventId}`).sort()).toEqual(
        twin?.events,
      );
      expect(line.eventDigest).toBe(eventSetDigest(explained.events, md5));
    }
    expect(lines.length).toBeGreaterThan(0);
  });
});
