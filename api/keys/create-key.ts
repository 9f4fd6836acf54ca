import { z } from '@hono/zod-openapi';
import { RoleSchema, ScopeSchema } from '../../platform/key-scopes.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { keyShape, KeyShape } from './key-shape.js';

export const createKey = operation({
  method: 'post',
  path: '/v1/keys',
  scope: 'admin',
  tag: 'Keys',
  summary: 'Make a key; its secret is in this answer and nowhere else, ever',
  body: z.strictObject({
    name: z.string().min(1).max(100),
    role: RoleSchema.optional(),
    scopes: z.array(ScopeSchema).max(20).optional(),
  }),
  answer: z.object({ key: KeyShape, secret: z.string() }),
  answerStatus: 201,
  onRepeat: 'refusal',

  async handle({ body }, context) {
    const { services, now } = context;
    const { key, secret } = await services.keys.create(
      {
        name: body.name,
        ...(body.role === undefined ? {} : { role: body.role }),
        ...(body.scopes === undefined ? {} : { scopes: body.scopes }),
      },
      actorOf(context),
      now,
    );
    return { key: keyShape(key), secret };
  },
});
