import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import { INTENT_MARK } from '../../platform/outbound/intent.js';
import { billLines, bills, carryMovements } from '../../platform/sql/billing-schema.js';
import { Killed, OverageBed, type Month, type Runner } from '../../test/faults/prove-billed-once.js';
import { NO_APPROVAL } from './approval.js';
import type { KeptBill } from './bill-store.js';
import { checkBill } from './check-bill.js';
import { runOverages } from './overage-run.js';
import { takeBackCreditNotes } from './take-back.js';
import { withdrawBill } from './withdraw-bill.js';

/* Two meters of $1.00 and $1.01; what becomes known later is one of them worth less, or more. */
const WHY = { reason: 'a test', actor: 'test' };
let bed: OverageBed;
let month: Month;
beforeAll(async () => {
  bed = await OverageBed.open();
});
afterAll(() => bed.close());
beforeEach(async () => {
  bed.server.faults.clear();
  month = await bed.openMonth(1, 2);
});

const customer = (of = month): string => of.customers[0]?.customerId ?? '';
const billsOf = (of = month): Promise<KeptBill[]> =>
  bed.sql.database
    .select()
    .from(bills)
    .where(eq(bills.account, of.store.account.account))
    .orderBy(bills.sequence);
async function invoices(of = month) {
  const { data } = await bed.stripe.invoices.list({ customer: customer(of) });
  return data.map(({ status, total, amount_remaining: left }) => [status, total, left]);
}
async function invoiceId(): Promise<string> {
  const { data } = await bed.stripe.invoices.list({ customer: customer() });
  return data[0]?.id ?? '';
}
async function notes(of = month) {
  const { data } = await bed.stripe.creditNotes.list({ customer: customer(of) });
  return data.map(({ amount, status, type }) => [amount, status, type]);
}
const balance = async (): Promise<number> => {
  const found = await bed.stripe.customers.retrieve(customer());
  return found.deleted === true ? NaN : found.balance;
};
/** The first line at another worth. */
const worth = (amountMinor: bigint, of = month): Month => ({
  ...of,
  lines: of.lines.map((line, index) =>
    index === 0 ? { ...line, amount: { amountMinor, currency: line.amount?.currency ?? '' } } : line,
  ),
});
const run = (of: Month, runner: Runner = bed.runner(of)) => bed.run(of, runner);
async function expectNothingLeft(of: Month): Promise<void> {
  expect(await run(of)).toMatchObject({ plan: { bills: [], carried: [], movements: [] } });
  for (const bill of await billsOf()) expect(await checkBill(bill, bed.runner(of).deps)).toEqual([]);
}
const waiting = async (): Promise<bigint> => {
  const rows = await bed.sql.database
    .select()
    .from(carryMovements)
    .where(eq(carryMovements.account, month.store.account.account));
  return rows.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
};

describe('what was charged too much', () => {
  test('of an invoice that nobody paid yet, less is to be paid; the ledger says what the line is worth', async () => {
    await bed.finish(month);
    const { outcomes } = await run(worth(60n));
    expect(outcomes).toMatchObject([{ outcome: 'finalized' }]);
    expect(await notes()).toEqual([[40, 'issued', 'pre_payment']]);
    expect(await invoices()).toEqual([['open', 201, 161]]);
    const [invoice, note] = await billsOf();
    expect(note).toMatchObject({
      ...{
        totalMinor: -40n,
        state: 'finalized',
        creditsBillId: invoice?.billId,
        invoiceId: await invoiceId(),
      },
      creditNoteId: expect.stringMatching(/^cn_/) as string,
    });
    const [first] = month.lines;
    const entries = await bed.sql.database
      .select()
      .from(billLines)
      .where(eq(billLines.lineId, first?.lineId ?? ''))
      .orderBy(billLines.sequence);
    expect(entries.map(({ sequence, amountMinor, causeId }) => [sequence, amountMinor, causeId])).toEqual([
      [1, 100n, invoice?.billId],
      [2, -40n, note?.billId],
    ]);
    await expectNothingLeft(worth(60n));
  });

  test('of an invoice that was paid, it goes to the customer’s balance', async () => {
    await bed.finish(month);
    await bed.stripe.invoices.pay(await invoiceId(), { paid_out_of_band: true });
    await run(worth(60n));
    expect(await notes()).toEqual([[40, 'issued', 'post_payment']]);
    expect(await balance()).toBe(-40);
    await expectNothingLeft(worth(60n));
  });

  test('again too much, then too little: two notes, and the rest on the next invoice', async () => {
    await bed.finish(month);
    await run(worth(60n));
    await run(worth(20n));
    await run(worth(90n));
    expect(await notes()).toEqual([
      [40, 'issued', 'pre_payment'],
      [40, 'issued', 'pre_payment'],
    ]);
    expect((await invoices()).sort()).toEqual([
      ['open', 201, 121],
      ['open', 70, 70],
    ]);
    await expectNothingLeft(worth(90n));
  });

  test('all of it', async () => {
    await bed.finish(month);
    const nothing = { ...month, lines: [] };
    await run(nothing);
    expect(await notes()).toEqual([[201, 'issued', 'pre_payment']]);
    expect(await invoices()).toEqual([['paid', 201, 0]]);
    await expectNothingLeft(nothing);
  });

  test('above the bound of approval, nothing is sent before somebody approves', async () => {
    await bed.finish(month);
    const { deps } = bed.runner(month);
    const approval = { ...NO_APPROVAL, aboveMinor: new Map([['USD', 39n]]) };
    const { lines, store } = worth(60n);
    const watermark = { executions: [], installs: [], billing: [], crm: [] };
    const rate = () => Promise.resolve(lines);
    const usage = { runId: 'run_1', watermark, lines: rate, again: rate };
    const [first] = lines;
    const ending = first?.period ?? { start: 0n, end: 0n };
    const request = { month: '2026-09-01', ending, orgId: null, approval, actor: 'test' };
    const { plan } = await runOverages({ ...usage, lateUsage: () => 'credit_note' }, request, deps);
    expect(plan.bills).toMatchObject([{ approvalReason: 'it is of more than $0.39' }]);
    expect(await notes()).toEqual([]);
    expect(await store.unfinished(null)).toEqual([]);
  });

  test('nothing can be taken off an invoice that was voided: it waits for the next bill', async () => {
    await bed.finish(month);
    await bed.stripe.invoices.voidInvoice(await invoiceId());
    await run(worth(60n));
    expect(await notes()).toEqual([]);
    expect(await waiting()).toBe(-40n);
  });

  test('more than is left of it, since somebody credited by hand: it waits for the next bill', async () => {
    await bed.finish(month);
    await bed.stripe.creditNotes.create({ invoice: await invoiceId(), amount: 180 });
    await run(worth(60n));
    expect(await notes()).toEqual([[180, 'issued', 'pre_payment']]);
    expect(await waiting()).toBe(-40n);
  });
});

describe('killed', () => {
  test.each([
    ['at once', false],
    ['a day later, when Stripe has forgotten its keys', true],
  ])(
    'at any step of it, and started again %s: credited once',
    async (_, isLater) => {
      for (let dieAt = 0; ; dieAt += 1) {
        month = await bed.openMonth(1, 2);
        await bed.finish(month);
        const later = worth(60n);
        const runner = bed.runner(later, { dieAt });
        const ended = await run(later, runner).then(
          () => null,
          (error: unknown) => error,
        );
        if (ended !== null) expect(ended).toBeInstanceOf(Killed);
        if (isLater) bed.passADay();
        await bed.finish(later);
        expect(await notes(later)).toEqual([[40, 'issued', 'pre_payment']]);
        expect(await invoices(later)).toEqual([['open', 201, 161]]);
        await expectNothingLeft(later);
        if (ended !== null) continue;
        // The look at the invoice for the plan, the commit, the look before it is sent, begin, send, settle, and the last commit.
        expect(dieAt).toBe(14);
        return;
      }
    },
    120_000,
  );

  test('its answer is lost: the same note is found, and nothing is credited twice', async () => {
    await bed.finish(month);
    bed.server.faults.add({ kind: 'lose_response', method: 'POST', path: '/v1/credit_notes', times: 10 });
    await run(worth(60n));
    bed.server.faults.clear();
    bed.passADay();
    await bed.finish(worth(60n));
    expect(await notes()).toEqual([[40, 'issued', 'pre_payment']]);
    await expectNothingLeft(worth(60n));
  });
});

describe('the invoice changes between plan and send', () => {
  test('it was paid: the note is taken back and planned anew, to the balance, once', async () => {
    await bed.finish(month);
    const pay = async (): Promise<void> => {
      await bed.stripe.invoices.pay(await invoiceId(), { paid_out_of_band: true });
    };
    const runner = bed.runner(month, { sleepAt: { step: 'after commit', sleep: pay } });
    const { outcomes } = await run(worth(60n), runner);
    expect(outcomes).toMatchObject([{ outcome: 'blocked' }]);
    expect(outcomes[0]?.message).toContain('was paid, credited or voided since');
    expect(await notes()).toEqual([]);
    await bed.finish(worth(60n));
    expect(await notes()).toEqual([[40, 'issued', 'post_payment']]);
    expect((await billsOf()).map(({ state }) => state)).toEqual(['finalized', 'withdrawn', 'finalized']);
    await expectNothingLeft(worth(60n));
  });

  test('paid right after that look: Stripe refuses it, and the next run credits it to the balance', async () => {
    await bed.finish(month);
    const pay = async (): Promise<void> => {
      await bed.stripe.invoices.pay(await invoiceId(), { paid_out_of_band: true });
    };
    const runner = bed.runner(month, { sleepAt: { step: 'after begin', sleep: pay } });
    const { outcomes } = await run(worth(60n), runner);
    expect(outcomes).toMatchObject([{ outcome: 'refused' }]);
    await bed.finish(worth(60n));
    expect(await notes()).toEqual([[40, 'issued', 'post_payment']]);
    await expectNothingLeft(worth(60n));
  });
});

describe('by hand', () => {
  test('a note that was voided at Stripe is a break; withdrawn, it is credited anew', async () => {
    await bed.finish(month);
    await run(worth(60n));
    const [, note] = await billsOf();
    const noteId = note?.creditNoteId ?? '';
    const { deps } = bed.runner(month);
    if (note === undefined) throw new Error('there is a credit note');
    await expect(withdrawBill(note, WHY, deps)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(noteId) as string,
    });
    await bed.stripe.creditNotes.voidCreditNote(noteId);
    expect(await checkBill(note, deps)).toMatchObject([{ cause: 'missing' }]);
    await withdrawBill(note, WHY, deps);
    await run(worth(60n));
    expect((await notes()).sort()).toEqual([
      [40, 'issued', 'pre_payment'],
      [40, 'void', 'pre_payment'],
    ]);
    expect(await invoices()).toEqual([['open', 201, 161]]);
  });
});

describe('what is not final yet', () => {
  const draftIt = async (): Promise<void> => {
    bed.server.faults.add({ kind: 'error_500', method: 'POST', path: '/v1/invoices/*/finalize', times: 100 });
    await run(month);
    bed.server.faults.clear();
  };

  test('is made anew where it would charge too much, and nobody is charged and credited', async () => {
    await draftIt();
    await bed.finish(worth(60n));
    expect(await notes()).toEqual([]);
    expect(await invoices()).toEqual([['open', 161, 161]]);
    await expectNothingLeft(worth(60n));
  });

  test('is credited where it is final at Stripe already, by an answer that was lost', async () => {
    bed.server.faults.add({
      kind: 'lose_response',
      method: 'POST',
      path: '/v1/invoices/*/finalize',
      times: 100,
    });
    await run(month);
    bed.server.faults.clear();
    expect(await invoices()).toEqual([['open', 201, 201]]);
    await bed.finish(worth(60n));
    expect(await notes()).toEqual([[40, 'issued', 'pre_payment']]);
    expect(await invoices()).toEqual([['open', 201, 161]]);
    await expectNothingLeft(worth(60n));
  });

  test('goes on where it charges too little, and the rest is on the next invoice', async () => {
    await draftIt();
    await bed.finish(worth(190n));
    expect((await invoices()).map(([, total]) => total).sort()).toEqual([201, 90]);
    await expectNothingLeft(worth(190n));
  });
});

test('an invoice that was voided with a note on it: both are taken back, and its usage is billed anew, whole', async () => {
  await bed.finish(month);
  await run(worth(60n));
  const [invoice, note] = await billsOf();
  await bed.stripe.invoices.voidInvoice(await invoiceId());
  if (invoice === undefined || note === undefined) throw new Error('there are both');
  await withdrawBill(invoice, WHY, bed.runner(month).deps);
  await withdrawBill(note, WHY, bed.runner(month).deps);
  await run(worth(60n));
  expect((await invoices()).filter(([status]) => status !== 'void')).toEqual([['open', 161, 161]]);
  expect((await billsOf()).map(({ state }) => state)).toEqual(['withdrawn', 'withdrawn', 'finalized']);
  await expectNothingLeft(worth(60n));
});

test('a run of another month leaves a note that is stuck to the run of its own', async () => {
  await bed.finish(month);
  const pay = async (): Promise<void> => {
    await bed.stripe.invoices.pay(await invoiceId(), { paid_out_of_band: true });
  };
  await run(worth(60n), bed.runner(month, { sleepAt: { step: 'after commit', sleep: pay } }));
  const { deps } = bed.runner(month);
  await takeBackCreditNotes({ month: '2026-08-01', orgId: null, actor: 'test' }, deps);
  expect((await billsOf()).map(({ state }) => state)).toEqual(['finalized', 'blocked']);
});

describe('as the meter says', () => {
  const says = (lateUsage: NonNullable<Month['lateUsage']>, of: Month): Month => ({ ...of, lateUsage });

  test('next_invoice: it waits, and is taken off the next bill', async () => {
    await bed.finish(month);
    await run(says('next_invoice', worth(60n)));
    expect(await notes()).toEqual([]);
    expect(await waiting()).toBe(-40n);
  });

  test('report: nothing is billed or credited; each run says what it would come to', async () => {
    await bed.finish(month);
    for (const [amountMinor, differs] of [
      [60n, -40n],
      [190n, 90n],
    ] as const) {
      const { plan } = await run(says('report', worth(amountMinor)));
      expect(plan).toMatchObject({ bills: [], carried: [], movements: [] });
      expect(plan.heldBack).toMatchObject([{ cause: 'late_usage', money: { amountMinor: differs } }]);
    }
    expect(await invoices()).toEqual([['open', 201, 201]]);
  });

  test('reopen_draft: what is not final is made anew, on one invoice; what is final is credited', async () => {
    bed.server.faults.add({ kind: 'error_500', method: 'POST', path: '/v1/invoices/*/finalize', times: 100 });
    await run(says('reopen_draft', month));
    bed.server.faults.clear();
    expect(await invoices()).toEqual([['draft', 201, 201]]);
    await bed.finish(says('reopen_draft', worth(190n)));
    expect(await invoices()).toEqual([['open', 291, 291]]);
    await bed.finish(says('reopen_draft', worth(60n)));
    expect(await invoices()).toEqual([['open', 291, 161]]);
    expect((await billsOf()).map(({ state, totalMinor }) => [state, totalMinor])).toEqual([
      ['withdrawn', 201n],
      ['finalized', 291n],
      ['finalized', -130n],
    ]);
    const items = await bed.stripe.invoiceItems.list({ customer: customer() });
    expect(items.data.filter(({ metadata }) => metadata?.[INTENT_MARK] !== undefined)).toHaveLength(2);
  });

  test('nothing became known: a draft is not made anew, it goes on', async () => {
    bed.server.faults.add({ kind: 'error_500', method: 'POST', path: '/v1/invoices/*/finalize', times: 100 });
    await run(says('reopen_draft', month));
    bed.server.faults.clear();
    await bed.finish(says('reopen_draft', month));
    expect((await billsOf()).map(({ state }) => state)).toEqual(['finalized']);
  });
});
