import { z } from '@hono/zod-openapi';
import { operation } from '../operation.js';
import { keyShape, KeyShape } from './key-shape.js';

export const listKeys = operation({
  method: 'get',
  path: '/v1/keys',
  scope: 'admin',
  tag: 'Keys',
  summary: 'All keys, revoked ones too, without their secrets',
  answer: z.object({ keys: z.array(KeyShape) }),

  async handle(_input, { services }) {
    const keys = await services.keys.list();
    return { keys: keys.map(keyShape) };
  },
});
