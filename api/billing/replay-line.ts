import { z } from '@hono/zod-openapi';
import { Purse } from '../../billing/adjustments/credits.js';
import { entriesOf } from '../../billing/overage-run/read-bills.js';
import { replayEntries } from '../../billing/overage-run/replay-line.js';
import { ratedLines } from '../../billing/preview-overage.js';
import { InputError } from '../../core/errors.js';
import { operation } from '../operation.js';
import { Digits } from '../shapes.js';
import { LedgerEntryShape, ledgerEntryShape } from './bill-shape.js';
import { OverageLineShape, overageLineShape } from './overage-line-shape.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

export const replayBillingLine = operation({
  method: 'get',
  path: '/v1/billing/lines/{lineId}/replay',
  scope: 'billing:read',
  tag: 'Billing',
  summary: 'Rate a billed line anew, each of its entries from the run that it was billed from',
  description:
    'Whatever was billed gives the same events, by count and digest, and the same cents; `is_same` says whether it does.',
  params: z.object({ lineId: z.string().min(1).max(80) }),
  answer: z.object({
    is_same: z.boolean(),
    entries: z.array(
      z.object({
        entry: LedgerEntryShape,
        entered_minor: Digits.openapi({ description: 'All entries of the line up to this one.' }),
        rated: OverageLineShape.nullable(),
        is_same: z.boolean(),
      }),
    ),
  }),
  problems: [...STRIPE_PROBLEMS, 'not_found', 'no_catalog', 'no_run'],

  async handle({ params: { lineId } }, { services }) {
    const { account } = (await services.billing()).store;
    const entries = await entriesOf(services.sql, account, lineId);
    const [first] = entries;
    if (first === undefined) {
      throw new InputError(
        'not_found',
        `nothing was billed of ${lineId}; headgate billing explain ${lineId} looks into previews`,
        {
          status: 404,
        },
      );
    }
    const catalogs = await services.catalogs.published();
    const choicesIn = await services.quota.choices();
    const { orgId, periodEnd } = first;
    // Of the line's org, the periods that end at its very instant.
    const ending = { start: periodEnd - 1n, end: periodEnd };
    const replayed = await replayEntries(entries, ({ runId, subscriptionId, creditsLeft }) =>
      services.runs.withRun({ runId }, async ({ run, reader }) => {
        const lines = await ratedLines(reader, {
          ...{ catalogs, ending, asOf: run.asOf, orgId, subscriptionId, choicesIn },
          purse: (credits) => Purse.holding(credits, creditsLeft ?? {}),
          billsGuesses: account.mode === 'test',
        });
        return lines.find((line) => line.lineId === lineId) ?? null;
      }),
    );
    return {
      is_same: replayed.every(({ isSame }) => isSame),
      entries: replayed.map(({ entry, enteredMinor, rated, isSame }) => ({
        entry: ledgerEntryShape(entry),
        entered_minor: enteredMinor,
        rated: rated === null ? null : overageLineShape(rated),
        is_same: isSame,
      })),
    };
  },
});
