import { z } from '@hono/zod-openapi';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, Limit, NextCursor } from '../shapes.js';
import { keyShape, KeyShape } from './key-shape.js';

const LIST = 'keys';
const Place = z.tuple([z.string()]);

export const listKeys = operation({
  method: 'get',
  path: '/v1/keys',
  scope: 'admin',
  tag: 'Keys',
  summary: 'All keys, revoked ones too, without their secrets, oldest first',
  query: z.strictObject({ limit: Limit(1_000, 1_000), cursor: Cursor.optional() }),
  answer: z.object({ keys: z.array(KeyShape), next_cursor: NextCursor }),
  problems: ['invalid_cursor'],

  async handle({ query }, { services }) {
    const [after = ''] = query.cursor === undefined ? [] : openCursor(LIST, query.cursor, Place);
    // People make keys one by one: reading all of them is one small query.
    const rest = (await services.keys.list()).filter(({ keyId }) => keyId > after);
    const page = rest.slice(0, query.limit);
    const last = page.at(-1);
    return {
      keys: page.map(keyShape),
      next_cursor: rest.length > page.length && last !== undefined ? sealCursor(LIST, [last.keyId]) : null,
    };
  },
});
