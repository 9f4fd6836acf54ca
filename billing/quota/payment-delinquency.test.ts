import { afterAll, beforeAll, expect, test } from 'vitest';
import { MICROS_PER_DAY, MICROS_PER_SECOND, parseInstant } from '../../core/time.js';
import { openPgliteSql } from '../../platform/sql/pglite-sql.js';
import type { Sql } from '../../platform/sql/sql.js';
import { stripeInvoices } from '../../platform/sql/stripe-schema.js';
import { paymentDelinquency } from './payment-delinquency.js';

const NOW = parseInstant('2026-06-20T00:00:00Z');
const GRACE_DAYS = 14;
const daysAgo = (days: number): bigint => NOW - BigInt(days) * MICROS_PER_DAY;
let sql: Sql;

beforeAll(async () => {
  sql = await openPgliteSql('memory://');
  await sql.migrate();
});
afterAll(() => sql.close());

type Row = typeof stripeInvoices.$inferInsert;

async function owe(orgId: string, row: Partial<Row> = {}): Promise<void> {
  await sql.database.insert(stripeInvoices).values({
    ...{ account: 'acct_1', mode: 'test', invoiceId: `in_${orgId}`, customerId: `cus_${orgId}`, orgId },
    ...{ status: 'open', currency: 'USD', totalMinor: 500n, paidMinor: 0n, remainingMinor: 500n },
    ...{ refundedMinor: 0n, dueAt: null, finalizedAt: daysAgo(40), paidAt: null, attemptCount: 0 },
    ...{ nextPaymentAttemptAt: null, failingSince: null, dispute: 'none', askedAt: NOW },
    ...row,
  });
}

test('who is late, and how late, is read from what is owed and due', async () => {
  await owe('due_later', { dueAt: NOW + 1n });
  await owe('due_now', { dueAt: NOW });
  await owe('fails', { failingSince: daysAgo(13) });
  await owe('fails_for_long', { failingSince: daysAgo(14) });
  await owe('given_up', { status: 'uncollectible' });
  await owe('paid', { status: 'paid', paidMinor: 500n, remainingMinor: 0n, failingSince: daysAgo(30) });
  await owe('void', { status: 'void', failingSince: daysAgo(30) });
  await owe('nothing_left', { remainingMinor: 0n, failingSince: daysAgo(30) });
  await owe('live', { mode: 'live', failingSince: daysAgo(30) });
  const delinquencyOf = paymentDelinquency(sql, 'test', () => NOW);
  const all = [
    ...['due_later', 'due_now', 'fails', 'fails_for_long', 'given_up'],
    ...['paid', 'void', 'nothing_left', 'live', 'unheard_of'],
  ];
  const said = await Promise.all(all.map(async (org) => [org, await delinquencyOf(org, GRACE_DAYS)]));
  expect(Object.fromEntries(said)).toEqual({
    ...{ due_later: 'none', due_now: 'past_due', fails: 'past_due', fails_for_long: 'paused' },
    ...{ given_up: 'paused', paid: 'none', void: 'none', nothing_left: 'none', live: 'none' },
    unheard_of: 'none',
  });
});

test('one statement serves all orgs for ten seconds; one that failed serves nobody', async () => {
  let [now, statements, isAway] = [NOW, 0, false];
  const watched: Sql = {
    ...sql,
    get database() {
      statements += 1;
      if (isAway) throw new Error('away');
      return sql.database;
    },
  };
  const delinquencyOf = paymentDelinquency(watched, 'test', () => now);
  const ask = (org: string) => delinquencyOf(org, GRACE_DAYS);
  await Promise.all(['fails', 'paid', 'given_up'].map(ask));
  await owe('late_by_now', { failingSince: daysAgo(1) });
  now += 10n * MICROS_PER_SECOND - 1n;
  expect([await ask('late_by_now'), statements]).toEqual(['none', 1]);
  now += 1n;
  isAway = true;
  await expect(ask('late_by_now')).rejects.toThrow('away');
  isAway = false;
  expect([await ask('late_by_now'), statements]).toEqual(['past_due', 3]);
});
