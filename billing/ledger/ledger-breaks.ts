import { and, asc, desc, eq, inArray, isNotNull, isNull, or, sql as sqlText } from 'drizzle-orm';
import type { Instant } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { billBreaks, bills } from '../../platform/sql/billing-schema.js';
import type { Sql } from '../../platform/sql/sql.js';
import type { KeptBill } from '../overage-run/bill-store.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import { isAfter, type LedgerFilter } from './ledger-invoices.js';

/** Somebody must do something about a bill: an open break, or that it stopped on its way. */
export interface LedgerBreak {
  /** Of a bill that stopped, the bill's. */
  readonly breakId: string;
  readonly bill: KeptBill;
  readonly cause: string;
  readonly message: string;
  readonly foundAt: Instant;
  readonly lastSeenAt: Instant;
}

export type BreakPlace = readonly [month: string, orgId: string, billId: string, breakId: string];

/** The newest month first, then by org. A bill that stopped and has open breaks shows as these. */
export async function listLedgerBreaks(
  sql: Sql,
  account: OutsideAccount,
  { month, orgId }: Pick<LedgerFilter, 'month' | 'orgId'>,
  { after, limit }: { readonly after: BreakPlace | null; readonly limit: number },
): Promise<LedgerBreak[]> {
  const breakId = sqlText<string>`coalesce(${billBreaks.breakId}, ${bills.billId})`;
  const last = after === null ? undefined : after[3];
  const rows = await sql.database
    .select({ breakId, bill: bills, found: billBreaks })
    .from(bills)
    .leftJoin(billBreaks, and(eq(billBreaks.billId, bills.billId), isNull(billBreaks.closedAt)))
    .where(
      and(
        ofAccount(bills, account),
        or(isNotNull(billBreaks.breakId), inArray(bills.state, ['blocked', 'refused'])),
        month === undefined ? undefined : eq(bills.month, month),
        orgId === undefined ? undefined : eq(bills.orgId, orgId),
        after === null
          ? undefined
          : or(
              isAfter([after[0], after[1], after[2]]),
              and(eq(bills.billId, after[2]), sqlText`${breakId} > ${last}`),
            ),
      ),
    )
    .orderBy(desc(bills.month), asc(bills.orgId), asc(bills.billId), asc(breakId))
    .limit(limit);
  return rows.map(({ breakId: id, bill, found }) => ({
    breakId: id,
    bill,
    cause: found?.cause ?? bill.problemCode ?? bill.state,
    message: found?.message ?? bill.problemMessage ?? `the bill is ${bill.state}`,
    foundAt: found?.foundAt ?? bill.createdAt,
    lastSeenAt: found?.lastSeenAt ?? bill.createdAt,
  }));
}
