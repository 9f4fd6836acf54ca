import { z } from '@hono/zod-openapi';
import type { CustomerLink } from '../../billing/overage-run/customer-links.js';
import { InstantAnswer } from '../shapes.js';

/** Which customer of Stripe pays for an org. */
export const CustomerLinkShape = z
  .object({
    org_id: z.string(),
    customer_id: z.string(),
    currency: z.string().nullable().openapi({ description: 'null: none yet, as it was when it was linked' }),
    collection_method: z.enum(['charge_automatically', 'send_invoice']),
    days_until_due: z.int().nullable(),
    mode: z.enum(['live', 'test']),
    linked_at: InstantAnswer,
    linked_by: z.string(),
  })
  .openapi('CustomerLink');

export function customerLinkShape(link: CustomerLink): z.input<typeof CustomerLinkShape> {
  return {
    org_id: link.orgId,
    customer_id: link.customerId,
    currency: link.currency,
    collection_method: link.collectionMethod,
    days_until_due: link.daysUntilDue,
    mode: link.mode,
    linked_at: link.linkedAt,
    linked_by: link.linkedBy,
  };
}
