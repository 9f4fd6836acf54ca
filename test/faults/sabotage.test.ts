import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { OtherSide } from '../../platform/outbound/other-side.js';
import type { ReadInvoice } from '../../platform/outbound/stripe/read-invoice.js';
import { Lease } from '../../platform/sql/lease.js';
import {
  OverageBed,
  proveForeignItemStops,
  proveFoundAgain,
  proveLostAnswer,
  proveSleeperSendsNothing,
  type Month,
} from './prove-billed-once.js';

/*
 * A proof that nothing can make fail proves nothing. Each of the things that keep a bill from being made twice is taken out, one at a
 * time, and the proof that it holds must fail for it.
 */
describe('what keeps a bill from being made twice', { timeout: 60_000 }, () => {
  let bed: OverageBed;
  beforeAll(async () => {
    bed = await OverageBed.open();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    bed.server.faults.clear();
  });
  afterAll(() => bed.close());

  async function invoicesOf({ customers }: Month): Promise<number> {
    const lists = customers.map(({ customerId: customer }) => bed.stripe.invoices.list({ customer }));
    return (await Promise.all(lists)).reduce((sum, { data }) => sum + data.length, 0);
  }
  /** What a run sends, changed on its way out. */
  const changed =
    (change: (send: OtherSide['send']) => OtherSide['send']) =>
    (side: OtherSide): OtherSide => ({
      send: change((request, key) => side.send(request, key)),
      find: (intent) => side.find(intent),
    });
  /** After the commit of the plan: begin, and the first send is out. */
  const AFTER_THE_FIRST_SEND = 5;

  describe('the idempotency key', () => {
    const withoutKey = changed((send) => (request) => send(request, randomUUID()));
    test('with it, an answer that was lost costs nothing', async () => {
      await proveLostAnswer(bed, await bed.openMonth(1, 2));
    });
    test('without it, the proof fails', async () => {
      const month = await bed.openMonth(1, 2);
      await expect(proveLostAnswer(bed, month, { side: withoutKey })).rejects.toThrow();
      expect(await invoicesOf(month)).toBe(2);
    });
  });

  describe('the mark on what was made', () => {
    const withoutMark = changed(
      (send) =>
        ({ path, parameters }, key) =>
          send({ path, parameters: { ...parameters, metadata: {} } }, key),
    );
    test('with it, what was made is found a day later', async () => {
      await proveFoundAgain(bed, await bed.openMonth(1, 2), { dieAt: AFTER_THE_FIRST_SEND });
    });
    test('without it, the proof fails', async () => {
      const month = await bed.openMonth(1, 2);
      const options = { dieAt: AFTER_THE_FIRST_SEND, side: withoutMark };
      await expect(proveFoundAgain(bed, month, options)).rejects.toThrow();
      expect(await invoicesOf(month)).toBe(2);
    });
  });

  describe('the lease', () => {
    test('without it, the proof fails', async () => {
      const month = await bed.openMonth(1, 2);
      const lease = await Lease.acquire(bed.sql, { name: 'nobody’s', holder: 'test', ttlMs: 60_000 });
      vi.spyOn(Lease, 'wait').mockResolvedValue(lease);
      vi.spyOn(Lease.prototype, 'assertHeld').mockResolvedValue(undefined);
      vi.spyOn(Lease.prototype, 'release').mockResolvedValue(undefined);
      await expect(proveSleeperSendsNothing(bed, month)).rejects.toThrow();
      expect(await invoicesOf(month)).toBe(2);
    });
  });

  describe('the lease, asked again before each send', () => {
    test('with it, who slept through a day sends nothing', async () => {
      await proveSleeperSendsNothing(bed, await bed.openMonth(1, 2));
    });
    test('without asking again, the proof fails', async () => {
      vi.spyOn(Lease.prototype, 'assertHeld').mockResolvedValue(undefined);
      const month = await bed.openMonth(1, 2);
      await expect(proveSleeperSendsNothing(bed, month)).rejects.toThrow();
      expect(await invoicesOf(month)).toBe(2);
    });
  });

  describe('the reconciliation before a draft is final', () => {
    /** As if nobody looked: whatever is there passes for what was rated. */
    const unseen = (invoice: ReadInvoice): ReadInvoice => {
      const lines = invoice.lines.filter(({ amount }) => amount < 9_900n);
      return { ...invoice, lines, total: lines.reduce((sum, { amount }) => sum + amount, 0n) };
    };
    test('with it, somebody else’s item keeps the draft from being final', async () => {
      await proveForeignItemStops(bed, await bed.openMonth(1, 2));
    });
    test('without it, the proof fails, and the customer is charged for it', async () => {
      const month = await bed.openMonth(1, 2);
      await expect(proveForeignItemStops(bed, month, { seen: unseen })).rejects.toThrow();
      const [customer] = month.customers;
      const { data } = await bed.stripe.invoices.list({ customer: customer?.customerId ?? '' });
      expect(data.map(({ status, total }) => [status, total])).toEqual([['open', 9_900 + 100 + 101]]);
    });
  });
});
