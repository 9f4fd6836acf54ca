import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MIGRATIONS_FOLDER, shippedMigrations } from './migrations.js';

/* A store of before past links were kept, with a customer that was replaced after it was billed, and one that was after its first invoice. */
let client: PGlite;
beforeAll(async () => {
  client = await PGlite.create({ dataDir: 'memory://' });
  await client.exec("set timezone to 'UTC'");
  const at = shippedMigrations().findIndex(({ tag }) => tag.endsWith('_past_links'));
  const tags = shippedMigrations().map(({ tag }) => tag);
  for (const tag of tags.slice(0, at)) await apply(tag);
  await client.exec(ROWS);
  for (const tag of tags.slice(at)) await apply(tag);
}, 120_000);
afterAll(() => client.close());

async function apply(tag: string): Promise<void> {
  await client.exec(readFileSync(join(MIGRATIONS_FOLDER, `${tag}.sql`), 'utf8'));
}

const ROWS = `
insert into stripe_customers (account, mode, org_id, customer_id, collection_method, linked_at, linked_by) values
  ('acct', 'test', 'org_ada', 'cus_present', 'charge_automatically', '2026-03-01', 'x'),
  ('acct', 'live', 'org_bob', 'cus_bob', 'charge_automatically', '2026-03-01', 'x'),
  ('acct', 'test', 'org_eve', 'cus_moved', 'charge_automatically', '2026-03-01', 'x');
insert into bills (bill_id, account, mode, org_id, currency, month, sequence, customer_id, state, total_minor, carried_item_minor,
  run_id, created_at, created_by) values
  ('bill_1', 'acct', 'test', 'org_ada', 'usd', '2026-01-01', 1, 'cus_billed', 'finalized', 1, 0, 'r', '2026-02-01', 'x'),
  ('bill_2', 'acct', 'test', 'org_ada', 'usd', '2026-02-01', 1, 'cus_billed', 'finalized', 1, 0, 'r', '2026-03-01', 'x'),
  ('bill_3', 'acct', 'test', 'org_ada', 'usd', '2026-02-01', 2, 'cus_moved', 'finalized', 1, 0, 'r', '2026-03-01', 'x');
insert into stripe_invoices (account, mode, invoice_id, customer_id, org_id, status, currency, total_minor, paid_minor, remaining_minor,
  refunded_minor, finalized_at, attempt_count, dispute, asked_at) values
  ('acct', 'test', 'in_1', 'cus_invoiced', 'org_ada', 'open', 'usd', 1, 0, 1, 0, '2026-01-01', 1, 'none', '2026-01-01');
insert into webhook_inbox (provider, account, mode, event_id, type, raw, received_at, state, next_attempt_at) values
  ('stripe', 'acct', 'test', 'evt_1', 'invoice.paid', '', '2026-01-02', 'done', '2026-01-02'),
  ('stripe', 'acct', 'test', 'evt_2', 'invoice.paid', '', '2026-01-09', 'done', '2026-01-09');
`;

test('customers that pay, and those that were billed before, are linked to their org', async () => {
  const { rows } = await client.query(
    'select mode, customer_id, org_id from stripe_customer_links order by mode, customer_id',
  );
  expect(rows).toEqual([
    { mode: 'live', customer_id: 'cus_bob', org_id: 'org_bob' },
    { mode: 'test', customer_id: 'cus_billed', org_id: 'org_ada' },
    { mode: 'test', customer_id: 'cus_invoiced', org_id: 'org_ada' },
    { mode: 'test', customer_id: 'cus_moved', org_id: 'org_eve' },
    { mode: 'test', customer_id: 'cus_present', org_id: 'org_ada' },
  ]);
});

test('Stripe is looked through once more from the oldest webhook that is kept', async () => {
  const { rows } = await client.query(
    'select account, mode, looked_until::text as until from stripe_catch_ups',
  );
  expect(rows).toEqual([{ account: 'acct', mode: 'test', until: '2026-01-02 00:00:00+00' }]);
});
