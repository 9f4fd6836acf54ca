import { expect } from 'vitest';
import type { OverageLine } from '../../billing/overage-plan.js';
import { explainOverageLine, previewOverage, type OverageRequest } from '../../billing/preview-overage.js';
import { soleVersion } from '../../billing/catalog-versions.js';
import { eventSetDigest } from '../../core/event-set.js';
import { addMonths, formatDate, parseDate, parseInstant, type Period } from '../../core/time.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { expectedOverage, type ExpectedLine } from '../oracles/overage-oracle.js';
import { textOfActual, textOfExpected } from '../oracles/overage-text.js';
import { standingEvents } from '../oracles/standing-events.js';
import { catalogOf, md5 } from '../support/rating.js';
import {
  correction,
  level,
  line as told,
  METERED_AS_OF,
  METERED_CATALOG,
  ran,
  session,
  subscribed,
} from './metered-companies.js';

/*
 * org_1 has the plan `small` from 10 March, `large` from 25 March: 15 and 16 of the 31 days to 10 April. org_2 has `small`, and was told
 * its levels long ago. org_3 has an allowance of people for each day. org_4 paused from 20 to 30 March.
 */
export const METERED_LINES: readonly string[] = [
  subscribed('org_1', 'started', '2026-03-10T00:00:00Z', ['small']),
  subscribed('org_1', 'changed', '2026-03-25T00:00:00Z', ['large']),
  session('s0', '2026-03-09T23:59:59.999999Z', 'u0'),
  session('s1', '2026-03-11T00:00:00Z', 'u1', { minutes: '1.5' }),
  session('s2', '2026-03-12T00:00:00Z', 'u2', { minutes: 2 }),
  session('s3', '2026-03-26T00:00:00Z', 'u1', { minutes: 'two' }),
  session('s4', '2026-03-26T00:00:00Z', 'u3', { minutes: '-1' }),
  session('s5', '2026-04-01T00:00:00Z', 'u4'),
  session('s6', '2026-04-02T00:00:00Z', 'u5'),
  correction('s6v', 'session.active', 's6'),
  session('s7', '2026-04-09T23:59:59.999999Z', 'u6'),
  session('s8', '2026-04-10T00:00:00Z', 'u7'),
  ...['u8', 'u9'].map((id) => session(id, '2026-03-11T00:00:00Z', id, {}, 'visitor_1')),
  level('seat1', '2026-03-01T00:00:00Z', 'seats', '4'),
  level('seat2', '2026-03-12T00:00:00Z', 'seats', '9'),
  level('seat_b', '2026-04-05T00:00:00Z', 'seats', '11'),
  level('seat_a', '2026-04-05T00:00:00Z', 'seats', '20'),
  level('seat4', '2026-04-09T00:00:00Z', 'seats', '30'),
  correction('seat4v', 'usage.recorded', 'seat4'),
  level('gb0', '2026-02-15T00:00:00Z', 'storage', '50'),
  level('gb1', '2026-03-20T00:00:00Z', 'storage', '400'),
  level('gb2', '2026-04-05T00:00:00Z', 'storage', '1000'),
  correction('gb2m', 'usage.recorded', 'gb2', { meter: 'storage', quantity: '200' }),
  level('gb1b', '2026-04-05T00:00:00Z', 'storage', '999'),
  ran('r1', '2026-03-26T00:00:00Z', 'own', { byoKey: true, workflow: 'w1' }),
  ran('r2', '2026-03-26T01:00:00Z', 'ada', { workflow: 'w1', usage: { load: '31' } }),
  ran('r3', '2026-03-26T02:00:00Z', 'ada', { workflow: 'w2' }),
  ran('r4', '2026-04-09T01:00:00Z', 'bob', { usage: { load: '0' } }),
  ...[
    ['c1', 'x'],
    ['c2', 'x'],
    ['c3', 'y'],
    ['c4', undefined],
  ].map(([id, unique]) =>
    told(id ?? '', 'usage.recorded', '2026-03-13T00:00:00Z', { meter: 'calls', quantity: 5, unique }),
  ),
  ...[
    ['i1', 'digest', 'web'],
    ['i2', 'digest', 'fair'],
    ['i3', 'report', 'mail'],
  ].map(([id, packageId, channel]) =>
    told(id ?? '', 'install.created', '2026-03-13T00:00:00Z', { installId: id, packageId, channel }),
  ),
  subscribed('org_2', 'started', '2026-03-10T00:00:00Z', ['small']),
  level('old seats', '2026-01-01T00:00:00Z', 'seats', '7', 'org_2'),
  level('old gb', '2024-12-01T00:00:00Z', 'storage', '150.5', 'org_2'),
  subscribed('org_3', 'started', '2026-03-10T00:00:00Z', ['daily']),
  ...['11 a', '11 b', '12 a', '12 a', '14 a', '14 b', '14 c'].map((text, index) => {
    const [day = '', userId = ''] = text.split(' ');
    return session(`d${index}`, `2026-03-${day}T08:00:00Z`, userId, {}, 'org_3');
  }),
  subscribed('org_4', 'started', '2026-03-10T00:00:00Z', ['small']),
  subscribed('org_4', 'paused', '2026-03-20T00:00:00Z', []),
  subscribed('org_4', 'resumed', '2026-03-30T00:00:00Z', ['small']),
  level('gb4', '2026-03-11T00:00:00Z', 'storage', '200', 'org_4'),
  level('seats4', '2026-03-25T00:00:00Z', 'seats', '6', 'org_4'),
];
const APRIL = ending('2026-04-01');
const MAY = ending('2026-05-01');

/** By org, month and meter: used, included, over, cents, ids of the events. */
const BY_HAND: readonly (readonly [string, Period, string, string, string, string, bigint, string])[] = [
  // 2 × 15/31 + 4 × 16/31 = 94/31 are included; u1 was seen in both plans' time and is one.
  ['org_1', APRIL, 'people', '5', '3.032258064516', '1.967741935484', 2n, 's1, s2, s3, s4, s5, s7'],
  ['org_1', APRIL, 'sessions', '6', '0', '6', 6n, 's1, s2, s3, s4, s5, s7'],
  // Neither a word nor what is below 0 is a quantity.
  ['org_1', APRIL, 'minutes', '3.5', '0', '3.5', 4n, 's1, s2'],
  ['org_1', APRIL, 'installed', '1', '0', '1', 1n, 'i1, i2'],
  ['org_1', APRIL, 'callers', '2', '0', '2', 2n, 'c1, c2, c3'],
  // The customer's own key is not counted for runners; a workflow is one however often it ran.
  ['org_1', APRIL, 'runners', '2', '0', '2', 2n, 'r2, r3, r4'],
  ['org_1', APRIL, 'workflows', '2', '0', '2', 2n, 'r1, r2, r3'],
  // Of two at one instant the one with the greater id is the last; the plan at the end allows 8.
  ['org_1', APRIL, 'seats', '11', '8', '3', 3n, 'seat_b'],
  // Nothing was told: it goes on.
  ['org_1', MAY, 'seats', '11', '8', '3', 3n, 'seat_b'],
  // 50 × 10 + 400 × 16 + 200 × 5 = 7,900 days; 100 × 15 + 310 × 16 = 6,460 allowed; each of 31.
  [
    'org_1',
    APRIL,
    'storage',
    '254.838709677419',
    '208.387096774194',
    '46.451612903226',
    46n,
    'gb0, gb1, gb2',
  ],
  // 31 for 14 of 31 days, from 1:00 to 1:00; 1.5 allowed for 16 of them: 434/31 − 24/31.
  ['org_1', APRIL, 'load', '14', '0.774193548387', '13.225806451613', 13n, 'r2, r4'],
  ['org_2', APRIL, 'seats', '7', '5', '2', 2n, 'old seats'],
  ['org_2', APRIL, 'storage', '150.5', '100', '50.5', 51n, 'old gb'],
  ['org_2', MAY, 'storage', '150.5', '100', '50.5', 51n, 'old gb'],
  // Two, one and three, one of which is each day's own.
  ['org_3', APRIL, 'people', '6', '31', '3', 3n, 'd0, d1, d2, d3, d4, d5, d6'],
  // Held for 9 days and, after the pause, for 11; what was paid for goes on in a pause: 4,000/31 − 3,100/31.
  ['org_4', APRIL, 'storage', '129.032258064516', '100', '29.032258064516', 29n, 'gb4'],
  ['org_4', APRIL, 'seats', '6', '5', '1', 1n, 'seats4'],
];

function ending(month: string): Period {
  const next = formatDate(addMonths(parseDate(month), 1));
  return { start: parseInstant(`${month}T00:00:00Z`), end: parseInstant(`${next}T00:00:00Z`) };
}

export type InRun = <Result>(work: (reader: RunReader) => Promise<Result>) => Promise<Result>;

const CATALOG = catalogOf(METERED_CATALOG);
/** What is asked of a run may be of another catalog than it was built with. */
const catalogs: OverageRequest['catalogs'] = soleVersion(CATALOG);
const asOf = parseInstant(METERED_AS_OF);

/** The events that explain a line, as many as it says and of the digest that it says. */
async function eventsOf(inRun: InRun, month: Period, found: OverageLine) {
  const request = { catalogs, ending: month, asOf, orgId: found.orgId };
  const { line: again, events } = await inRun((reader) => explainOverageLine(reader, request, found.lineId));
  expect(again).toEqual(found);
  expect(events).toHaveLength(found.events);
  expect(found.eventDigest).toBe(eventSetDigest(events, md5));
  return events;
}

export async function expectByHand(inRun: InRun): Promise<void> {
  for (const month of [APRIL, MAY]) {
    const plan = await inRun((reader) => previewOverage(reader, { catalogs, ending: month, asOf }));
    for (const [orgId, , meterId, used, included, overage, cents, ids] of BY_HAND.filter(
      (row) => row[1] === month,
    )) {
      const found = plan.lines.find((one) => one.orgId === orgId && one.meterId === meterId);
      if (found === undefined) throw new Error(`no line of ${orgId} for ${meterId}`);
      expect(
        [found.used, found.included, found.overage, found.amount?.amountMinor],
        `${orgId} ${meterId}`,
      ).toEqual([used, included, overage, cents]);
      const events = await eventsOf(inRun, month, found);
      expect(events.map(({ eventId }) => eventId).sort(), `${orgId} ${meterId}`).toEqual(ids.split(', '));
    }
  }
}

export const METER_IDS = [...new Set(BY_HAND.map(([, , meterId]) => meterId))].sort();
const MONTHS = ['2026-02-01', '2026-03-01', '2026-04-01', '2026-05-01', '2026-06-01'].map(ending);

function eventsExpected(expected: readonly ExpectedLine[], line: OverageLine): readonly string[] | undefined {
  return expected.find(
    ({ subscriptionId, meterId, start }) =>
      subscriptionId === line.subscriptionId && meterId === line.meterId && start === line.period.start,
  )?.events;
}

/** Of every month, against what a second rater says of the very lines that were told. */
export async function expectAsDrawn(inRun: InRun, lines: readonly string[]): Promise<OverageLine[]> {
  const versions = [{ catalog: CATALOG, from: null }];
  const events = standingEvents(lines, METERED_AS_OF);
  const orgs = new Set(events.map(({ subject }) => subject));
  const found: OverageLine[] = [];
  for (const month of MONTHS) {
    const plan = await inRun((reader) => previewOverage(reader, { catalogs, ending: month, asOf }));
    const expected = expectedOverage(events, versions, month, asOf);
    const ours = plan.lines.filter(({ orgId }) => orgs.has(orgId));
    expect(ours.map(textOfActual).sort()).toEqual(expected.map(textOfExpected).sort());
    for (const line of ours.filter((_, index) => index % 25 === 0)) {
      const ids = (await eventsOf(inRun, month, line)).map(({ source, eventId }) => `${source} ${eventId}`);
      expect(ids.sort()).toEqual(eventsExpected(expected, line));
    }
    found.push(...ours);
  }
  return found;
}
