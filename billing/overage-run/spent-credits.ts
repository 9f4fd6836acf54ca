import { and, eq, gt, isNotNull, lte, or, sql as sqlText } from 'drizzle-orm';
import { addDecimals, decimalOf, parseDecimal, ZERO, type Decimal } from '../../core/decimal.js';
import type { Period } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { billLines } from '../../platform/sql/billing-schema.js';
import type { Sql } from '../../platform/sql/sql.js';
import { creditUnitKey, type SpentCredits } from '../adjustments/credits.js';
import { ofAccount } from '../../platform/sql/of-account.js';

/** How much of prepaid quantities some entries use up. */
export const creditQuantitySum = () =>
  sqlText`cast(coalesce(sum(cast(${billLines.creditQuantity} as numeric)), 0) as text)`.mapWith(parseDecimal);

/** What the ledger of an account says is used up of credits, by periods that did not end inside `ending`; null: by all. */
export async function spentCredits(
  sql: Sql,
  account: OutsideAccount,
  { ending, orgId }: { readonly ending: Period | null; readonly orgId: string | null },
): Promise<SpentCredits> {
  const { kind, currency, meterId, creditId } = billLines;
  const rows = await sql.database
    .select({
      ...{ orgId: billLines.orgId, kind, currency, meterId, creditId },
      usedMinor: sqlText`-sum(${billLines.amountMinor})`.mapWith(BigInt),
      quantity: creditQuantitySum(),
    })
    .from(billLines)
    .where(
      and(
        ofAccount(billLines, account),
        isNotNull(creditId),
        orgId === null ? undefined : eq(billLines.orgId, orgId),
        ending === null
          ? undefined
          : or(lte(billLines.periodEnd, ending.start), gt(billLines.periodEnd, ending.end)),
      ),
    )
    .groupBy(billLines.orgId, kind, currency, meterId, creditId);
  const spent = new Map<string, Decimal>();
  for (const row of rows) {
    const isMoney = row.kind === 'credit';
    const unit = isMoney
      ? ({ kind: 'money', currency: row.currency } as const)
      : ({ kind: 'quantity', meterId: row.meterId } as const);
    const key = creditUnitKey(row.orgId, row.creditId ?? '', unit);
    const used = isMoney ? decimalOf(row.usedMinor) : row.quantity;
    spent.set(key, addDecimals(spent.get(key) ?? ZERO, used));
  }
  return spent;
}
