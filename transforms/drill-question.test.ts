import { expect, test } from 'vitest';
import { drillPlace, type DrillParameters, type DrillQuestion } from './drill-question.js';
import { metricNamed } from './metric-registry.js';

const MONTHLY: DrillParameters = new Map([
  ['month', 'date'],
  ['currency', 'text'],
  ['dimension', 'text'],
  ['member', 'text'],
]);
const RETENTION: DrillParameters = new Map([...MONTHLY, ['window_months', 'bigint']]);
const WEEKLY: DrillParameters = new Map([
  ['week', 'date'],
  ['package_id', 'text'],
]);
const SEPTEMBER = { month: '2026-09-01', currency: 'USD' };

test('what is left out is the total, and what the metric fixes is as it fixes it', () => {
  expect(drillPlace(metricNamed('mrr'), SEPTEMBER, MONTHLY)).toEqual({
    ...SEPTEMBER,
    dimension: 'all',
    member: 'all',
  });
  expect(drillPlace(metricNamed('nrr'), SEPTEMBER, RETENTION)['window_months']).toBe('12');
});

test.each<{ metric: string; question: DrillQuestion; parameters?: DrillParameters; says: string }>([
  {
    metric: 'mrr',
    question: { ...SEPTEMBER, month: '2026-09' },
    says: 'drill of mrr: month "2026-09" is not a day; write 2026-09-01',
  },
  { metric: 'mrr', question: { ...SEPTEMBER, month: '2026-02-30' }, says: 'is not a day' },
  { metric: 'mrr', question: { ...SEPTEMBER, month: "'; drop table mrr_months; --" }, says: 'is not a day' },
  {
    metric: 'mrr',
    question: { ...SEPTEMBER, month: '2026-09-09' },
    says: 'is not the first day of a month; write 2026-09-01',
  },
  {
    metric: 'package_executions',
    question: { week: '2026-09-09', package_id: 'leads' },
    parameters: WEEKLY,
    says: 'write 2026-09-07',
  },
  { metric: 'mrr', question: { currency: 'USD' }, says: 'needs month: it takes month, currency' },
  { metric: 'mrr', question: { ...SEPTEMBER, colour: 'red' }, says: 'does not take colour' },
  { metric: 'mrr', question: { ...SEPTEMBER, dimension: 'pln', member: 'x' }, says: 'did you mean "plan"?' },
  { metric: 'mrr', question: { ...SEPTEMBER, dimension: 'plan' }, says: 'needs a member' },
  { metric: 'mrr', question: { ...SEPTEMBER, member: 'growth' }, says: 'of which dimension' },
  {
    metric: 'nrr',
    question: { ...SEPTEMBER, window_months: '3' },
    parameters: RETENTION,
    says: 'is always of window_months 12; leave window_months out',
  },
])(
  'a place that is none is refused: $metric $question',
  ({ metric, question, parameters = MONTHLY, says }) => {
    expect(() => drillPlace(metricNamed(metric), question, parameters)).toThrow(says);
  },
);
