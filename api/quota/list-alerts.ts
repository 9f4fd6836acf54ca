import { z } from '@hono/zod-openapi';
import { listAlerts as list, type AlertEntry } from '../../billing/quota/usage-alerts.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, ForeignId, InstantAnswer, Limit, NextCursor } from '../shapes.js';

const listOf = (org: string | undefined): string => `alerts ${org ?? ''}`;
const Place = z.tuple([z.string().regex(/^\d{1,20}$/), z.string()]);

const Alert = z
  .object({
    alert_id: z.string(),
    rule: z.string(),
    org_id: z.string(),
    subscription_id: z.string(),
    meter: z.string(),
    period_start: InstantAnswer,
    period_end: InstantAnswer,
    threshold_percent: z.int(),
    used: z.string(),
    included: z.string(),
    run_id: z.string(),
    created_at: InstantAnswer,
    message_id: z.string().nullable().openapi({
      description: 'null: a higher threshold was passed at the same time, and its message names this one',
    }),
    delivery: z
      .object({
        state: z.enum(['waiting', 'delivered', 'given_up', 'unsent']).openapi({
          description: '`unsent`: no endpoint was configured when the threshold was passed',
        }),
        attempts: z.int(),
        last_attempt_at: InstantAnswer.nullable(),
        last_status: z.int().nullable(),
        last_problem: z.string().nullable(),
        next_attempt_at: InstantAnswer.nullable(),
        delivered_at: InstantAnswer.nullable(),
      })
      .nullable(),
  })
  .openapi('UsageAlert');

export const listAlerts = operation({
  method: 'get',
  path: '/v1/alerts',
  scope: 'billing:read',
  tag: 'Quotas',
  summary: 'Usage thresholds that were passed, the newest first, and whether their messages arrived',
  query: z.strictObject({
    org: ForeignId.optional(),
    limit: Limit(200, 50),
    cursor: Cursor.optional(),
  }),
  answer: z.object({ alerts: z.array(Alert), next_cursor: NextCursor }),
  problems: ['invalid_cursor'],

  async handle({ query }, { services }) {
    const place = query.cursor === undefined ? null : openCursor(listOf(query.org), query.cursor, Place);
    const found = await list(services.sql, {
      orgId: query.org,
      after: place === null ? null : { at: BigInt(place[0]), alertId: place[1] },
      limit: query.limit + 1,
    });
    const page = found.slice(0, query.limit);
    const last = page.at(-1)?.alert;
    return {
      alerts: page.map(alertShape),
      next_cursor:
        found.length > query.limit && last !== undefined
          ? sealCursor(listOf(query.org), [last.createdAt.toString(), last.alertId])
          : null,
    };
  },
});

function alertShape({ alert, delivery }: AlertEntry): z.input<typeof Alert> {
  return {
    alert_id: alert.alertId,
    rule: alert.rule,
    org_id: alert.orgId,
    subscription_id: alert.subscriptionId,
    meter: alert.meterId,
    period_start: alert.periodStart,
    period_end: alert.periodEnd,
    threshold_percent: alert.thresholdPercent,
    used: alert.used,
    included: alert.included,
    run_id: alert.runId,
    created_at: alert.createdAt,
    message_id: alert.messageId,
    delivery:
      delivery === null
        ? null
        : {
            state: delivery.state,
            attempts: delivery.attempts,
            last_attempt_at: delivery.lastAttemptAt,
            last_status: delivery.lastStatus,
            last_problem: delivery.lastProblem,
            next_attempt_at: delivery.state === 'waiting' ? delivery.nextAttemptAt : null,
            delivered_at: delivery.deliveredAt,
          },
  };
}
