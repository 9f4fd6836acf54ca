import { z } from '@hono/zod-openapi';
import type { ApiKey } from '../../platform/api-keys.js';
import { InstantAnswer } from '../shapes.js';

/** A key without its secret, which only the answer that created it shows. */
export const KeyShape = z
  .object({
    key_id: z.string(),
    name: z.string(),
    role: z.string().nullable(),
    scopes: z.array(z.string()),
    created_at: InstantAnswer,
    last_used_at: InstantAnswer.nullable(),
    revoked_at: InstantAnswer.nullable(),
  })
  .openapi('Key');

export function keyShape(key: ApiKey): z.input<typeof KeyShape> {
  return {
    key_id: key.keyId,
    name: key.name,
    role: key.role,
    scopes: [...key.scopes],
    created_at: key.createdAt,
    last_used_at: key.lastUsedAt,
    revoked_at: key.revokedAt,
  };
}
