import { and, asc, count, eq, getTableColumns, gt, inArray, or, type SQL } from 'drizzle-orm';
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { RefusedError } from '../../core/errors.js';
import * as billing from '../sql/billing-schema.js';
import * as quota from '../sql/quota-schema.js';
import * as schema from '../sql/schema.js';
import * as stripe from '../sql/stripe-schema.js';
import type { Sql } from '../sql/sql.js';

/** How much of a table came over. */
export interface CopiedTable {
  readonly table: string;
  readonly rows: number;
  readonly copied: number;
}

/**
 * What a company is beside its events, in the order in which it goes over. Runs and the pointer stay: the other side builds its own from
 * the same events. Idempotency keys stay too: they answer requests that were sent to this side.
 */
const TABLES: readonly PgTable[] = [
  schema.installation,
  schema.catalogVersions,
  schema.auditEntries,
  schema.apiKeys,
  schema.vaultValues,
  schema.vaultPersons,
  schema.quarantine,
  schema.conflicts,
  billing.outboundIntents,
  billing.stripeCustomers,
  billing.bills,
  billing.billLines,
  billing.carryMovements,
  billing.billBreaks,
  stripe.stripeCustomerLinks,
  stripe.webhookInbox,
  stripe.stripeCatchUps,
  stripe.stripeFacts,
  stripe.stripeInvoices,
  quota.stopChoices,
  quota.usageAlerts,
  quota.webhookMessages,
];

/** Of what an installation was set up with, the keys go over; the warehouse and the topics of the other side are its own. */
const ONLY = new Map<PgTable, SQL>([
  [schema.installation, inArray(schema.installation.name, ['token_key', 'vault_key'])],
]);

/** Rows that never change once written, by what tells one from another: the same key with other content is another company. */
const HISTORY: readonly {
  readonly table: PgTable;
  readonly key: PgColumn;
  readonly content: PgColumn;
  readonly what: string;
}[] = [
  {
    table: schema.installation,
    key: schema.installation.name,
    content: schema.installation.value,
    what: 'key',
  },
  {
    table: schema.catalogVersions,
    key: schema.catalogVersions.version,
    content: schema.catalogVersions.digest,
    what: 'catalog version',
  },
  {
    table: schema.auditEntries,
    key: schema.auditEntries.sequence,
    content: schema.auditEntries.hash,
    what: 'audit entry',
  },
];

const PAGE = 500;
const Row = z.record(z.string(), z.unknown());

/**
 * Copies what is missing, table by table, in pages by key: a second copy finds nothing to do, and one that was killed goes on.
 *
 * @throws RefusedError `copy_conflict` when the target holds another company's history; nothing was written then
 */
export async function copyStore(
  source: Sql,
  target: Sql,
  onProgress: (message: string) => void,
): Promise<CopiedTable[]> {
  for (const history of HISTORY) await refuseOtherHistory(source, target, history);
  const copied: CopiedTable[] = [];
  for (const table of TABLES) {
    onProgress(`Copying ${getTableConfig(table).name} …`);
    copied.push(await copyTable(source, target, table));
  }
  return copied;
}

/** A table's key as drizzle names it in rows, and as the column it is. */
interface KeyColumn {
  readonly name: string;
  readonly column: PgColumn;
}

function keyOf(table: PgTable): KeyColumn[] {
  const composite = getTableConfig(table).primaryKeys.flatMap(({ columns }) =>
    columns.map(({ name }) => name),
  );
  return Object.entries(getTableColumns(table))
    .filter(([, column]) => column.primary || composite.includes(column.name))
    .map(([name, column]) => ({ name, column }));
}

/** Rows in the order of their key, a page at a time. */
async function* pagesOf(sql: Sql, table: PgTable): AsyncGenerator<Record<string, unknown>[]> {
  const key = keyOf(table);
  let last: Record<string, unknown> | null = null;
  for (;;) {
    const page: Record<string, unknown>[] = z.array(Row).parse(
      await sql.database
        .select()
        .from(table)
        .where(and(ONLY.get(table), last === null ? undefined : after(key, last)))
        .orderBy(...key.map(({ column }) => asc(column)))
        .limit(PAGE),
    );
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    last = page.at(-1) ?? null;
  }
}

/** Of two columns (a, b): a > last.a, or a = last.a and b > last.b. */
function after(key: readonly KeyColumn[], last: Readonly<Record<string, unknown>>): SQL | undefined {
  return or(
    ...key.map(({ name, column }, index) =>
      and(
        ...key.slice(0, index).map((before) => eq(before.column, last[before.name])),
        gt(column, last[name]),
      ),
    ),
  );
}

async function copyTable(source: Sql, target: Sql, table: PgTable): Promise<CopiedTable> {
  let rows = 0;
  let copied = 0;
  for await (const page of pagesOf(source, table)) {
    rows += page.length;
    const written = await target.database.insert(table).values(page).onConflictDoNothing().returning();
    copied += written.length;
  }
  const [held] = await target.database.select({ rows: count() }).from(table).where(ONLY.get(table));
  if ((held?.rows ?? 0) < rows) {
    throw new RefusedError(
      'copy_conflict',
      `${getTableConfig(table).name}: ${rows} rows here, ${held?.rows ?? 0} there after the copy; the target holds other rows ` +
        'under the same names: give it an empty database',
    );
  }
  return { table: getTableConfig(table).name, rows, copied };
}

async function refuseOtherHistory(
  source: Sql,
  target: Sql,
  { table, key, content, what }: (typeof HISTORY)[number],
): Promise<void> {
  const contentsOf = async (sql: Sql): Promise<Map<string, string>> => {
    const found = z
      .array(z.object({ key: z.union([z.string(), z.bigint()]), content: z.string() }))
      .parse(await sql.database.select({ key, content }).from(table).where(ONLY.get(table)));
    return new Map(found.map((row) => [String(row.key), row.content]));
  };
  const [ours, theirs] = [await contentsOf(source), await contentsOf(target)];
  const other = [...theirs].find(([name, text]) => ours.has(name) && ours.get(name) !== text);
  if (other === undefined) return;
  throw new RefusedError(
    'copy_conflict',
    `the database that DATABASE_URL names holds another company: its ${what} ${other[0]} is not ours; ` +
      'give this one an empty database',
  );
}
