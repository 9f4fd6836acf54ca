import { z } from '@hono/zod-openapi';
import { erasePerson as erase } from '../../ingest/erase-person.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';

/** As the vault names whose a value is: the kind of record and its id. */
const Person = z
  .string()
  .max(300)
  .regex(/^[a-z_]+:\S.*$/, 'name the record, such as lead:lead_7');
const Value = z.string().min(1).max(1_000);

export const erasePerson = operation({
  method: 'post',
  path: '/v1/people/erase',
  scope: 'admin',
  tag: 'People',
  summary: 'Forget a person: their values in the vault, in quarantine and in webhooks',
  description:
    'By the record (`person`: `lead:lead_7`), or by a value such as an e-mail address, which takes everything of everybody who has it. ' +
    'What another person shares with them stays. Numbers stay as they are: events hold tokens, never values.',
  body: z.union([z.strictObject({ person: Person }), z.strictObject({ value: Value })]),
  onRepeat: 'another go',
  answer: z.object({
    erased_values: z.int().openapi({ description: 'Values that the vault no longer has' }),
    erased_quarantined: z.int().openapi({ description: 'Events in quarantine that held one of them' }),
    erased_webhooks: z
      .int()
      .openapi({ description: 'Webhooks, taken care of before, that held one of them' }),
  }),

  async handle({ body }, context) {
    const { services, now } = context;
    const { vault, quarantine } = services.ingest;
    const dependencies = { vault, quarantine, sql: services.sql, audit: services.audit };
    const { values, quarantined, webhooks } = await erase(body, actorOf(context), dependencies, now);
    return { erased_values: values, erased_quarantined: quarantined, erased_webhooks: webhooks };
  },
});
