import { and, desc, eq, lt, or } from 'drizzle-orm';
import { canonicalJson } from '../../core/canonical-json.js';
import { compareDecimals, decimalOf, multiplyDecimals, parseDecimal } from '../../core/decimal.js';
import { derivedId } from '../../core/ids.js';
import { formatInstant, type Instant } from '../../core/time.js';
import {
  enterMessage,
  readMessages,
  type WebhookDelivery,
} from '../../platform/outbound/webhooks/message-store.js';
import { usageAlerts } from '../../platform/sql/quota-schema.js';
import { transaction, type Sql, type SqlDatabase } from '../../platform/sql/sql.js';
import type { MeterUsage } from '../org-usage.js';
import { sha256 } from '../../platform/sha256.js';

/** Of what is included in a subscription period, so much was used. Other rules (projected overage, negative margin) come later. */
export const USAGE_RULE = 'usage_of_included';
export const THRESHOLD_PERCENTS: readonly number[] = [50, 75, 90, 100];
const MESSAGE_TYPE = 'usage.threshold';

export type UsageAlert = typeof usageAlerts.$inferSelect;

/** Thresholds that one meter of one subscription has passed in its open period, the highest first. */
export interface Passed {
  readonly line: MeterUsage;
  readonly included: string;
  readonly percents: readonly number[];
}

/** Pure. Without a limit nothing is passed, and of an allowance of nothing there is no part. */
export function passedThresholds(
  lines: readonly MeterUsage[],
  percents: readonly number[] = THRESHOLD_PERCENTS,
): Passed[] {
  return lines.flatMap((line) => {
    const { included, used } = line;
    if (included === null || line.status === 'unrated') return [];
    const whole = parseDecimal(included);
    if (whole.unscaled <= 0n) return [];
    const hundredfold = multiplyDecimals(parseDecimal(used), decimalOf(100n));
    const passed = percents
      .filter(
        (percent) => compareDecimals(hundredfold, multiplyDecimals(whole, decimalOf(BigInt(percent)))) >= 0,
      )
      .sort((a, b) => b - a);
    return passed.length === 0 ? [] : [{ line, included, percents: passed }];
  });
}

/**
 * Enters what is new, each (rule, org, subscription, meter, period, threshold) once for ever, and with it, in one transaction, its
 * message. Of several thresholds that are passed at once the highest is told, and the message names the others: four messages about
 * one moment would tell no more.
 *
 * @returns how many messages were entered
 */
export async function enterAlerts(
  sql: Sql,
  passed: readonly Passed[],
  { runId, now, isSent }: { readonly runId: string; readonly now: Instant; readonly isSent: boolean },
): Promise<number> {
  let entered = 0;
  for (const one of passed) {
    // Most was entered long ago, and a transaction of its own costs more than the question.
    if (await isEntered(sql, one)) continue;
    const isNew = await transaction(sql, (database) => enterPassed(database, one, { runId, now, isSent }));
    if (isNew) entered += 1;
  }
  return entered;
}

async function isEntered(sql: Sql, { line, percents }: Passed): Promise<boolean> {
  const rows = await sql.database
    .select({ percent: usageAlerts.thresholdPercent })
    .from(usageAlerts)
    .where(
      and(
        eq(usageAlerts.rule, USAGE_RULE),
        eq(usageAlerts.orgId, line.orgId),
        eq(usageAlerts.subscriptionId, line.subscriptionId),
        eq(usageAlerts.meterId, line.meterId),
        eq(usageAlerts.periodStart, line.period.start),
      ),
    );
  const known = new Set(rows.map(({ percent }) => percent));
  return percents.every((percent) => known.has(percent));
}

async function enterPassed(
  database: SqlDatabase,
  { line, included, percents }: Passed,
  { runId, now, isSent }: { readonly runId: string; readonly now: Instant; readonly isSent: boolean },
): Promise<boolean> {
  const rows = percents.map((thresholdPercent, index) => {
    const alertId = alertIdOf(line, thresholdPercent);
    return {
      ...{
        alertId,
        rule: USAGE_RULE,
        orgId: line.orgId,
        subscriptionId: line.subscriptionId,
        meterId: line.meterId,
      },
      ...{ periodStart: line.period.start, periodEnd: line.period.end, thresholdPercent },
      ...{ used: line.used, included, runId, createdAt: now },
      messageId: index === 0 ? derivedId('msg', [alertId], sha256) : null,
    };
  });
  const added = await database.insert(usageAlerts).values(rows).onConflictDoNothing().returning();
  const told = added.find(({ messageId }) => messageId !== null);
  if (told?.messageId == null) return false;
  await enterMessage(
    database,
    { messageId: told.messageId, type: MESSAGE_TYPE, payload: payloadOf(told, added) },
    { now, isSent },
  );
  return true;
}

function alertIdOf({ orgId, subscriptionId, meterId, period }: MeterUsage, percent: number): string {
  const parts = [USAGE_RULE, orgId, subscriptionId, meterId, formatInstant(period.start), String(percent)];
  return derivedId('alr', parts, sha256);
}

function payloadOf(alert: UsageAlert, added: readonly UsageAlert[]): string {
  return canonicalJson({
    type: MESSAGE_TYPE,
    timestamp: formatInstant(alert.createdAt),
    data: {
      alert_id: alert.alertId,
      rule: alert.rule,
      org_id: alert.orgId,
      subscription_id: alert.subscriptionId,
      meter: alert.meterId,
      period_start: formatInstant(alert.periodStart),
      period_end: formatInstant(alert.periodEnd),
      threshold_percent: alert.thresholdPercent,
      passed_percents: added.map(({ thresholdPercent }) => thresholdPercent).sort((a, b) => a - b),
      used: alert.used,
      included: alert.included,
      run_id: alert.runId,
    },
  });
}

export interface AlertEntry {
  readonly alert: UsageAlert;
  /** Null: a higher threshold's message stands for it. */
  readonly delivery: WebhookDelivery | null;
}

/** The newest first, of one org or of all. */
export async function listAlerts(
  sql: Sql,
  {
    orgId,
    after,
    limit,
  }: {
    readonly orgId?: string | undefined;
    readonly after: { readonly at: Instant; readonly alertId: string } | null;
    readonly limit: number;
  },
): Promise<AlertEntry[]> {
  const older =
    after === null
      ? undefined
      : or(
          lt(usageAlerts.createdAt, after.at),
          and(eq(usageAlerts.createdAt, after.at), lt(usageAlerts.alertId, after.alertId)),
        );
  const alerts = await sql.database
    .select()
    .from(usageAlerts)
    .where(and(orgId === undefined ? undefined : eq(usageAlerts.orgId, orgId), older))
    .orderBy(desc(usageAlerts.createdAt), desc(usageAlerts.alertId))
    .limit(limit);
  const messages = await readMessages(
    sql,
    alerts.flatMap(({ messageId }) => (messageId === null ? [] : [messageId])),
  );
  return alerts.map((alert) => ({ alert, delivery: messages.get(alert.messageId ?? '') ?? null }));
}
