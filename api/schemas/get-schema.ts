import { z } from '@hono/zod-openapi';
import { InputError } from '../../core/errors.js';
import { didYouMean } from '../../core/suggest.js';
import { eventTypes, isEventType } from '../../core/events.js';
import { jsonSchemaOf } from '../../core/events/json-schema.js';
import { operation } from '../operation.js';

export const getSchema = operation({
  method: 'get',
  path: '/v1/schemas/{type}',
  scope: 'any_key',
  tag: 'Events',
  summary: 'The JSON Schema of an event type, from the schema that ingest checks with',
  params: z.object({ type: z.string().max(80) }),
  answer: z.record(z.string(), z.unknown()),
  problems: ['unknown_event_type'],

  handle({ params }) {
    if (!isEventType(params.type)) {
      throw new InputError(
        'unknown_event_type',
        `there is no event type "${params.type}"${didYouMean(params.type, Object.keys(eventTypes))}`,
        { status: 404 },
      );
    }
    return Promise.resolve(jsonSchemaOf(params.type));
  },
});
