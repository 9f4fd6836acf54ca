import { asc, count, desc, eq, inArray } from 'drizzle-orm';
import { newId, RANDOM_BYTES } from '../../core/ids.js';
import { randomBytes } from 'node:crypto';
import type { Money } from '../../core/money.js';
import { formatInstant, type Instant } from '../../core/time.js';
import type { AuditLog } from '../../platform/audit-log.js';
import { stopChoices } from '../../platform/sql/quota-schema.js';
import { transaction, type Sql, type SqlDatabase } from '../../platform/sql/sql.js';
import type { ChoicesIn } from '../overage-plan.js';
import type { StopChoice } from '../overage-terms.js';

/** What an org chose, with when and why. `default`: it took its choice back. */
export interface ChosenStop {
  readonly choiceId: string;
  readonly orgId: string;
  /** Null: all meters that have no choice of their own. */
  readonly meterId: string | null;
  readonly stop: 'hard' | 'soft' | 'default';
  readonly spendCap: Money | null;
  readonly effectiveAt: Instant;
  readonly reason: string;
  readonly chosenBy: string;
}

type Row = typeof stopChoices.$inferSelect;

/** What orgs chose, of some or of all, oldest first. */
export async function listChoices(sql: Sql, orgIds?: readonly string[]): Promise<ChosenStop[]> {
  const rows = await sql.database
    .select()
    .from(stopChoices)
    .where(orgIds === undefined ? undefined : inArray(stopChoices.orgId, [...orgIds]))
    .orderBy(asc(stopChoices.effectiveAt), asc(stopChoices.choiceId));
  return rows.map(chosenOf);
}

/** Changes with every choice, whoever's clock it was dated by. */
export async function countChoices(sql: Sql): Promise<number> {
  const [row] = await sql.database.select({ choices: count() }).from(stopChoices);
  return row?.choices ?? 0;
}

/** What was in force at some time of a period: of the choices for the meter the last, else of those for all meters. */
export function choicesInOf(choices: readonly ChosenStop[]): ChoicesIn {
  const byOrg = new Map<string, ChosenStop[]>();
  for (const choice of choices) byOrg.set(choice.orgId, [...(byOrg.get(choice.orgId) ?? []), choice]);
  return (orgId, meterId, { start, end }) => {
    const inForce: StopChoice[] = [];
    let own: ChosenStop | null = null;
    let whole: ChosenStop | null = null;
    for (const choice of byOrg.get(orgId) ?? []) {
      if (choice.effectiveAt >= end) break;
      if (choice.meterId !== null && choice.meterId !== meterId) continue;
      if (choice.effectiveAt > start) inForce.push(stopChoiceOf(own, whole));
      if (choice.meterId === null) whole = choice;
      else own = choice;
    }
    return [...inForce, stopChoiceOf(own, whole)];
  };
}

function stopChoiceOf(own: ChosenStop | null, whole: ChosenStop | null): StopChoice {
  const [meter, all] = [inForceOf(own), inForceOf(whole)];
  return {
    stop: meter?.stop ?? all?.stop ?? null,
    meterCap: meter?.spendCap ?? null,
    wholeCap: all?.spendCap ?? null,
  };
}

function inForceOf(choice: ChosenStop | null) {
  return choice === null || choice.stop === 'default'
    ? null
    : { stop: choice.stop, spendCap: choice.spendCap };
}

/** What is in force for an org, one for all meters and one for each that has its own. */
export async function choicesInForce(sql: Sql, orgId: string, now: Instant): Promise<ChosenStop[]> {
  const inForce = new Map<string | null, ChosenStop>();
  for (const choice of await listChoices(sql, [orgId])) {
    if (choice.effectiveAt <= now) inForce.set(choice.meterId, choice);
  }
  return [...inForce.values()];
}

export type NewChoice = Omit<ChosenStop, 'choiceId' | 'effectiveAt'>;

/** Enters a choice, from now on: what was billed under another one stays as it was. It is on the record with it. */
export function enterChoice(
  { sql, audit }: { readonly sql: Sql; readonly audit: AuditLog },
  choice: NewChoice,
  now: Instant,
): Promise<ChosenStop> {
  const { orgId, meterId, stop, spendCap, reason, chosenBy } = choice;
  return transaction(sql, async (database) => {
    const row: Row = {
      choiceId: newId('stp', now, randomBytes(RANDOM_BYTES)),
      ...{ orgId, meterId, stop, reason, chosenBy },
      spendCapMinor: spendCap?.amountMinor ?? null,
      spendCapCurrency: spendCap?.currency ?? null,
      effectiveAt: await afterLast(database, orgId, now),
      createdAt: now,
    };
    await database.insert(stopChoices).values(row);
    const details = {
      ...{ meter: meterId, stop, reason, currency: spendCap?.currency ?? null },
      spendCapMinor: spendCap?.amountMinor.toString() ?? null,
      effectiveAt: formatInstant(row.effectiveAt),
    };
    await audit.appendIn(database, { actor: chosenBy, action: 'quota.choose', target: orgId, details }, now);
    return chosenOf(row);
  });
}

/** No two choices of an org take effect at one instant: of those, nobody could say which rules. */
async function afterLast(database: SqlDatabase, orgId: string, now: Instant): Promise<Instant> {
  const [last] = await database
    .select({ effectiveAt: stopChoices.effectiveAt })
    .from(stopChoices)
    .where(eq(stopChoices.orgId, orgId))
    .orderBy(desc(stopChoices.effectiveAt))
    .limit(1);
  return last === undefined || last.effectiveAt < now ? now : last.effectiveAt + 1n;
}

function chosenOf(row: Row): ChosenStop {
  const { choiceId, orgId, meterId, stop, effectiveAt, reason, chosenBy } = row;
  const { spendCapMinor: amountMinor, spendCapCurrency: currency } = row;
  const spendCap = amountMinor === null || currency === null ? null : { amountMinor, currency };
  return { choiceId, orgId, meterId, stop, spendCap, effectiveAt, reason, chosenBy };
}
