import { expect, test } from 'vitest';
import { parseCatalog, type Catalog } from '../../core/catalog.js';
import { WORKED_CASE_EXPECTED } from '../../fixtures/worked-case-expected.js';
import { WORKED_CASE_CATALOG } from '../../fixtures/worked-case-catalog.js';
import { WORKED_CASE_AS_OF, WORKED_CASE_LINES } from '../../fixtures/worked-case.js';
import { expectedCommissions } from './commission-oracle.js';
import { expectedScores } from './lead-score-oracle.js';
import { standingEvents } from './standing-events.js';

function workedCatalog(): Catalog {
  const result = parseCatalog(WORKED_CASE_CATALOG);
  if (!result.ok) throw new Error('the worked catalog is no catalog');
  return result.catalog;
}

const line = (type: string, id: string, time: string, data: object, subject = 'l'): string =>
  JSON.stringify({ source: 's', id, type, subject, time, data });

test('the first report of an identity stands, a void takes it out, a void of the void brings it back', () => {
  const target = (id: string) => ({ targetType: 'x', targetSource: 's', targetId: id });
  const lines = [
    line('lead.upserted', 'a', '2026-01-01T00:00:00Z', { first: true }),
    line('lead.upserted', 'a', '2026-01-01T00:00:00Z', { first: false }),
    line('event.voided', 'v1', '2026-01-02T00:00:00Z', target('a')),
    line('event.voided', 'v2', '2026-01-03T00:00:00Z', target('v1')),
    line('lead.upserted', 'b', '2026-01-01T00:00:00Z', {}),
    line('event.voided', 'v3', '2026-01-02T00:00:00Z', target('b')),
    'not json',
  ];
  const standing = standingEvents(lines, '2026-02-01T00:00:00Z');
  expect(standing.map(({ id, data }) => [id, data])).toEqual([['a', { first: true }]]);
  // before the second void was known, nothing stood
  expect(standingEvents(lines, '2026-01-03T00:00:00Z')).toEqual([]);
});

test('the worked case: the cash that stayed earns its share', () => {
  const [expected] = expectedCommissions(
    standingEvents(WORKED_CASE_LINES, WORKED_CASE_AS_OF),
    workedCatalog(),
  );
  const byHand = WORKED_CASE_EXPECTED.commissions.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  expect(expected).toMatchObject({ partnerId: 'par_pat', amountMinor: byHand });
});

test('a lead is what it is plus what it did lately', () => {
  // Base 10, agency 20; one demo of 40 a half-life ago is 20; page views of 3 each, capped at 5: 55.
  const leadScore: Catalog['leadScore'] = {
    modelVersion: 'card',
    basePoints: 10,
    halfLifeDays: 10,
    minimum: 0,
    maximum: 1000,
    horizonDays: 90,
    fit: {
      agency: {
        operator: 'eq',
        value: 'agency',
        feature: 'industry',
        field: 'company.industry',
        points: 20,
        assumed: false,
      },
    },
    engagement: {
      demo: { feature: 'demos', activity: 'demo', points: 40, assumed: false },
      view: { feature: 'views', activity: 'view', points: 3, maxPoints: 5, assumed: false },
    },
    grades: { fit: { A: 3, B: 2, C: 1, D: 0 }, engagement: { '1': 3, '2': 2, '3': 1, '4': 0 } },
    bands: {},
    assumed: false,
  };
  const views = ['1', '2', '3'].map((id) =>
    line('lead.activity', `v${id}`, '2026-06-30T23:59:59Z', { leadId: 'l', kind: 'view' }),
  );
  const lines = [
    line('company.upserted', 'c', '2026-01-01T00:00:00Z', { companyId: 'acme', industry: 'agency' }),
    line('lead.upserted', 'l', '2026-01-01T00:00:00Z', { leadId: 'l', companyId: 'acme' }),
    line('lead.activity', 'd', '2026-06-21T00:00:00Z', { leadId: 'l', kind: 'demo' }),
    ...views,
  ];
  const asOf = '2026-07-01T00:00:00Z';
  expect(expectedScores(standingEvents(lines, asOf), { ...workedCatalog(), leadScore }, asOf).get('l')).toBe(
    55,
  );
});
