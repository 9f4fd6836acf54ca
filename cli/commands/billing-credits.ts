import type { Command } from 'commander';
import { z } from 'zod';
import { countArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showMoney, showQuantity } from '../numbers.js';
import { table } from '../output.js';
import { listText, readList } from '../pages.js';

const Credit = z.looseObject({
  org_id: z.string(),
  credit_id: z.string(),
  currency: z.string().nullable(),
  meter: z.string().nullable(),
  granted: z.string(),
  used: z.string(),
  left: z.string(),
  expires_at: z.string().nullable(),
  is_expired: z.boolean(),
});
type Credit = z.infer<typeof Credit>;

/** `headgate billing credits`: what orgs have prepaid, and what is left of it. */
export function addBillingCreditsCommand(billing: Command): void {
  const credits = billing
    .command('credits')
    .argument('[org]', 'only this org')
    .description('prepaid credits: what was granted, used and is left')
    .option('--limit <rows>', 'at most so many', countArgument, 100)
    .action(showCredits);
  withExamples(credits, 'headgate billing credits', 'headgate billing credits org_12');
}

async function showCredits(
  org: string | undefined,
  { limit }: { readonly limit: number },
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const list = await readList(
      client,
      { path: '/v1/credits', query: { org } },
      { rows: 'credits', row: Credit, limit },
    );
    output.answer(list.answer, () => listText(list, creditTable(list.rows), 'nobody has prepaid anything'));
  });
}

function creditTable(credits: readonly Credit[]): string {
  return table(
    ['org', 'credit', 'granted', 'used', 'left', 'expires'],
    credits.map((credit) => [
      credit.org_id,
      credit.credit_id,
      ...[credit.granted, credit.used, credit.left].map((amount) => amountText(credit, amount)),
      credit.expires_at === null
        ? 'never'
        : `${credit.expires_at.slice(0, 10)}${credit.is_expired ? ' (expired)' : ''}`,
    ]),
    ['left', 'left', 'right', 'right', 'right', 'left'],
  );
}

function amountText({ currency, meter }: Credit, amount: string): string {
  return currency === null ? `${showQuantity(amount)} ${meter ?? ''}` : showMoney(BigInt(amount), currency);
}
