/** Everything that prints and changes nothing, so that it can be asked twice. */
export const QUESTIONS: readonly (readonly string[])[] = [
  ['metrics'],
  ['metrics', 'mrr'],
  ['metrics', 'mrr', '--by', 'plan', '--from', '2026-02-01', '--currency', 'USD'],
  ['drill', 'mrr', 'month=2026-04-01', 'currency=USD'],
  ['targets'],
  ['orgs', 'list'],
  ['orgs', 'show', 'org_ada'],
  ['leads', 'list'],
  ['leads', 'show', 'lead_1'],
  ['partners', 'commissions'],
  ['usage', 'org_ada'],
  ['billing', 'preview'],
  ['sql', 'SELECT month, currency, close_minor FROM mrr_months ORDER BY ALL'],
  ['runs'],
  ['catalog', 'show'],
  ['catalog', 'show', '--versions'],
  ['catalog', 'diff', 'catalog.yaml'],
  ['quarantine', 'list'],
  ['quarantine', 'conflicts'],
  ['keys', 'list'],
  ['keys', 'roles'],
];

/** Those that are asked in process too, where opening the engines takes longer than any answer: one of each kind of answer. */
export const ASKED_TWICE = new Set([
  'metrics mrr',
  'drill mrr month=2026-04-01 currency=USD',
  'leads show lead_1',
  'billing preview',
  'sql SELECT month, currency, close_minor FROM mrr_months ORDER BY ALL',
  'quarantine list',
]);
