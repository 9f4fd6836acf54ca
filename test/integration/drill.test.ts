import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainOverageLine, previewOverage } from '../../billing/preview-overage.js';
import { startOfDay } from '../../core/calendar.js';
import type { Catalog } from '../../core/catalog.js';
import { parseDecimal } from '../../core/decimal.js';
import {
  addMonths,
  formatDate,
  parseDate,
  parseInstant,
  type Instant,
  type Period,
} from '../../core/time.js';
import { Random } from '../../fixtures/generator/random.js';
import { metricNamed, metrics } from '../../transforms/metric-registry.js';
import { activeOrgs, openInstalls } from '../oracles/active-orgs-oracle.js';
import { expectedCommissions } from '../oracles/commission-oracle.js';
import { openSubscriptions, type OpenSubscription } from '../oracles/mrr-oracle.js';
import { expectedOverage } from '../oracles/overage-oracle.js';
import { standingEvents, type StandingEvent } from '../oracles/standing-events.js';
import type { TestCompany } from '../support/company.js';
import { COMPANY_SEED, openMeasuredCompany } from '../support/measured-company.js';
import {
  amountsBy,
  describeNumber,
  drillNumber,
  eventOf,
  pickNumbers,
  sumOf,
  type PickedNumber,
} from '../support/drilled.js';

/** Draws the numbers; HEADGATE_TEST_SEED=7 draws others, of another company. */
const SEED = COMPANY_SEED;

interface Drillable {
  readonly company: TestCompany;
  readonly catalog: Catalog;
  readonly endsAt: string;
  /** What counts of the raw file, read by the tests' own plain code. */
  readonly events: readonly StandingEvent[];
  /** `source id` of every line of the raw file that is an event. */
  readonly known: ReadonlySet<string>;
}

async function openDrillable(name: string): Promise<Drillable> {
  const { company, catalog, lines, endsAt } = await openMeasuredCompany(name);
  const events = standingEvents(lines, endsAt);
  const known = new Set(events.map(({ source, id }) => `${source} ${id}`));
  return { company, catalog, endsAt, events, known };
}

/** A number of a metric at random, printed. */
async function pick(
  { company }: Drillable,
  name: string,
  random: Random,
  options: { count: number; where?: string },
): Promise<PickedNumber[]> {
  const metric = metricNamed(name);
  const picked = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    pickNumbers(metric, reader, random, options),
  );
  if (picked.length > 0) console.log(picked.map(describeNumber).join('\n'));
  return picked;
}

const drilledSomewhere = new Set<string>();

describe.each(['fleetprompt', 'chatbot'])('%s: every metric', (name) => {
  let drillable: Drillable;
  beforeAll(async () => {
    drillable = await openDrillable(name);
  });
  afterAll(() => drillable.company.remove());

  test.each(metrics.map((metric) => metric.name))(
    '%s: random numbers are the sums of their rows, and every row is an event of the raw file',
    async (metric) => {
      const numbers = await pick(drillable, metric, new Random(SEED), { count: 3 });
      for (const number of numbers) {
        const rows = await drillNumber(drillable.company, number);
        const sums = Object.fromEntries(Object.keys(number.sides).map((side) => [side, sumOf(rows, side)]));
        expect(sums, describeNumber(number)).toEqual(number.sides);
        expect(
          rows.map(eventOf).filter((event) => !drillable.known.has(event)),
          describeNumber(number),
        ).toEqual([]);
        drilledSomewhere.add(metric);
      }
    },
  );
});

test('no metric was without a number to drill', () => {
  expect(metrics.map(({ name }) => name).filter((name) => !drilledSomewhere.has(name))).toEqual([]);
});

describe('re-added from the raw file', () => {
  let drillable: Drillable;
  beforeAll(async () => {
    drillable = await openDrillable('fleetprompt');
  });
  afterAll(() => drillable.company.remove());

  const OWN_CURRENCY = "currency not like 'reporting:%'";
  const monthOf = ({ question }: PickedNumber): string => question['month'] ?? '';
  /** The end of a month, which is over for every month here. */
  const closeOf = (month: string, monthsLater = 0): Instant =>
    parseInstant(`${formatDate(addMonths(parseDate(month), 1 + monthsLater))}T00:00:00Z`);
  /** Who pays in the number's currency just before `at`; all of them, or those of `orgs`. */
  const payingAt = (
    at: Instant,
    { question }: PickedNumber,
    isAsked: (orgId: string) => boolean = () => true,
  ): OpenSubscription[] =>
    openSubscriptions(drillable.events, at).filter(
      ({ orgId, currency, mrrMinor }) => currency === question['currency'] && mrrMinor > 0n && isAsked(orgId),
    );
  const byEvent = (open: readonly OpenSubscription[]): Record<string, bigint> =>
    Object.fromEntries(open.map(({ event, mrrMinor }) => [event, mrrMinor]));
  const total = (open: readonly OpenSubscription[]): bigint =>
    open.reduce((sum, { mrrMinor }) => sum + mrrMinor, 0n);

  test('MRR: each row is what its event says a month', async () => {
    const random = new Random(SEED);
    const numbers = [
      ...(await pick(drillable, 'mrr', random, { count: 3, where: `dimension = 'all' and ${OWN_CURRENCY}` })),
      ...(await pick(drillable, 'mrr', random, {
        count: 3,
        where: `dimension <> 'all' and ${OWN_CURRENCY}`,
      })),
    ];
    expect(numbers).toHaveLength(6);
    for (const number of numbers) {
      const rows = await drillNumber(drillable.company, number);
      const orgs = new Set(rows.map(({ org_id: orgId }) => orgId));
      const isWhole = number.question['dimension'] === 'all';
      const paying = payingAt(closeOf(monthOf(number)), number, (org) => isWhole || orgs.has(org));
      expect(amountsBy(rows, eventOf)).toEqual(byEvent(paying));
      expect(total(paying)).toBe(number.value);
    }
  });

  test('a movement: its causes, instant by instant, are the changes of what the events say', async () => {
    const numbers = await pick(drillable, 'mrr_movement', new Random(SEED), {
      count: 6,
      where: OWN_CURRENCY,
    });
    expect(numbers).toHaveLength(6);
    for (const number of numbers) {
      const { month = '', org_id: orgId = '', currency = '' } = number.question;
      const isAsked = (org: string): boolean => org === orgId;
      const siblings = await pick(drillable, 'mrr_movement', new Random(SEED), {
        count: 100,
        where: `month = date '${month}' and org_id = '${orgId}' and currency = '${currency}'`,
      });
      const rows = (await Promise.all(siblings.map((one) => drillNumber(drillable.company, one)))).flat();
      const changes = Object.fromEntries(
        [...new Set(rows.map(({ at }) => at))].map((text) => {
          const at = parseInstant(text);
          return [text, total(payingAt(at + 1n, number, isAsked)) - total(payingAt(at, number, isAsked))];
        }),
      );
      expect(amountsBy(rows, ({ at }) => at)).toEqual(
        Object.fromEntries(Object.entries(changes).filter(([, change]) => change !== 0n)),
      );
      const net =
        total(payingAt(closeOf(month), number, isAsked)) -
        total(payingAt(closeOf(month, -1), number, isAsked));
      expect(siblings.reduce((sum, { value }) => sum + value, 0n)).toBe(net);
      expect(sumOf(await drillNumber(drillable.company, number), 'value')).toBe(number.value.toString());
    }
  });

  test.each(['nrr', 'nrr_quarterly', 'nrr_monthly'])('%s: both sides, org by org', async (name) => {
    const where = `dimension = 'all' and ${OWN_CURRENCY}`;
    const numbers = await pick(drillable, name, new Random(SEED), { count: 2, where });
    expect(numbers.length).toBeGreaterThan(0);
    for (const number of numbers) {
      const rows = await drillNumber(drillable.company, number);
      const window = Number(number.metric.filters?.['window_months']);
      const then = payingAt(closeOf(monthOf(number), -window), number);
      const orgs = new Set(then.map(({ orgId }) => orgId));
      const now = payingAt(closeOf(monthOf(number)), number, (org) => orgs.has(org));
      const side = (wanted: string) => rows.filter((row) => row.side === wanted);
      expect(amountsBy(side('denominator'), eventOf)).toEqual(byEvent(then));
      expect(amountsBy(side('numerator'), eventOf)).toEqual(byEvent(now));
      expect([total(now), total(then)].map(String)).toEqual([
        number.sides['numerator'],
        number.sides['denominator'],
      ]);
    }
  });

  test('attach: the open installs of active orgs, and the active orgs', async () => {
    const random = new Random(SEED);
    const numbers = [
      ...(await pick(drillable, 'attach_rate', random, { count: 3, where: "dimension = 'all'" })),
      ...(await pick(drillable, 'attach_rate', random, { count: 3, where: "dimension <> 'all'" })),
    ];
    expect(numbers).toHaveLength(6);
    for (const number of numbers) {
      const rows = await drillNumber(drillable.company, number);
      const close = closeOf(monthOf(number));
      const active = activeOrgs(drillable.events, close);
      const listed = rows
        .filter(({ side }) => side === 'denominator')
        .map(({ org_id: orgId }) => orgId ?? '');
      const orgs = new Set(number.question['dimension'] === 'all' ? active : listed);
      expect([...orgs].filter((org) => !active.has(org))).toEqual([]);
      expect(listed.sort()).toEqual([...orgs].sort());
      const installs = [...openInstalls(drillable.events, close)].filter(([, org]) => orgs.has(org));
      expect(
        rows
          .filter(({ side }) => side === 'numerator')
          .map(eventOf)
          .sort(),
      ).toEqual(installs.map(([event]) => event).sort());
      expect([installs.length, orgs.size].map(String)).toEqual([
        number.sides['numerator'],
        number.sides['denominator'],
      ]);
    }
  });

  test('a commission: what the partner had earned after the event, less what it had before', async () => {
    const lines = await pick(drillable, 'commission', new Random(SEED), {
      count: 12,
      where: "kind in ('earned', 'reversal')",
    });
    let checked = 0;
    for (const number of lines) {
      const [bearer, second] = (await drillNumber(drillable.company, number)).filter(
        ({ side, amount }) => side === 'value' && amount !== '0',
      );
      expect(second).toBeUndefined();
      const event = drillable.events.find(
        ({ source, id }) => bearer !== undefined && `${source} ${id}` === eventOf(bearer),
      );
      if (event === undefined) throw new Error('the event of the commission is not in the file');
      const earned = (isKept: (at: Instant) => boolean): bigint | null => {
        const events = drillable.events.filter(
          (one) => !isCashOf(one, number) || one === event || isKept(one.at),
        );
        const kept = isKept(event.at) ? events : events.filter((one) => one !== event);
        const expected = expectedCommissions(kept, drillable.catalog).find(
          ({ invoiceId, lineId, partnerId }) =>
            invoiceId === number.row['invoice_id'] &&
            lineId === number.row['invoice_line_id'] &&
            partnerId === number.row['partner_id'],
        );
        return expected === undefined ? 0n : expected.amountMinor;
      };
      const [after, before] = [earned((at) => at <= event.at), earned((at) => at < event.at)];
      if (after === null || before === null) continue;
      expect(after - before, describeNumber(number)).toBe(number.value);
      checked += 1;
    }
    expect(checked).toBeGreaterThan(5);
  });

  const isCashOf = ({ type, data }: StandingEvent, { row }: PickedNumber): boolean =>
    ['invoice.paid', 'invoice.refunded', 'dispute.closed'].includes(type) &&
    typeof data === 'object' &&
    data !== null &&
    'invoiceId' in data &&
    data.invoiceId === row['invoice_id'];

  test('an overage line: the quantities of its events, and their price', async () => {
    const { company, catalog, events, endsAt } = drillable;
    const { catalogs, runs } = company.runtime.services;
    const published = await catalogs.published();
    const asOf = parseInstant(endsAt);
    const last = parseDate(endsAt.slice(0, 10));
    const endings = Array.from({ length: 12 }, (_, index): Period => ({
      start: startOfDay(addMonths(last, -index - 1), catalog.zone),
      end: startOfDay(addMonths(last, -index), catalog.zone),
    }));
    await runs.withRun({}, async ({ reader }) => {
      const due = [];
      for (const ending of endings) {
        const plan = await previewOverage(reader, { catalogs: published, ending, asOf });
        const usage = plan.lines.filter(({ status, adjustment }) => status === 'due' && adjustment === null);
        due.push(...usage.map((line) => ({ line, ending })));
      }
      expect(due.length).toBeGreaterThan(0);
      const random = new Random(SEED);
      for (const { line, ending } of [random.pick(due), random.pick(due), random.pick(due)]) {
        console.log(
          `overage ${line.orgId} ${line.meterId} ${line.used}: ${String(line.amount?.amountMinor)} ${line.amount?.currency ?? ''}`,
        );
        const explained = await explainOverageLine(
          reader,
          { catalogs: published, ending, asOf },
          line.lineId,
        );
        const expected = expectedOverage(events, [{ catalog, from: null }], ending, asOf).find(
          (one) =>
            one.orgId === line.orgId &&
            one.subscriptionId === line.subscriptionId &&
            one.meterId === line.meterId &&
            one.start === line.period.start,
        );
        expect(explained.events.map(({ source, eventId }) => `${source} ${eventId}`).sort()).toEqual(
          [...(expected?.events ?? [])].sort(),
        );
        expect(line.amount).toEqual({ amountMinor: expected?.amountMinor, currency: expected?.currency });
        const used = parseDecimal(line.used);
        expect(used.unscaled * (expected?.used.den ?? 0n)).toBe(
          (expected?.used.num ?? 1n) * 10n ** BigInt(used.scale),
        );
      }
    });
  });
});
