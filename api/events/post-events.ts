import { z } from '@hono/zod-openapi';
import { ingestBody, type IngestAnswer } from '../../ingest/pipeline.js';
import { operation } from '../operation.js';
import { RawAnswer } from '../raw-answer.js';

const Result = z.union([
  z.object({ index: z.int(), status: z.literal('accepted'), id: z.string() }),
  z.object({
    index: z.int(),
    status: z.literal('quarantined'),
    id: z.string().nullable(),
    quarantine_id: z.string(),
    problem: z.object({ path: z.string(), code: z.string(), message: z.string() }),
  }),
]);

export const postEvents = operation({
  method: 'post',
  path: '/v1/events',
  scope: 'ingest',
  tag: 'Events',
  summary: 'Take in events; those accepted are durable before the answer goes out',
  description:
    'One CloudEvent, an array of them, or NDJSON. One bad event never blocks its neighbours: it goes to quarantine, and its result says ' +
    'why. An event counts once however often it is sent, so after a problem with `retryable` the same body may be sent again.',
  rawBody: {
    mediaTypes: [
      'application/json',
      'application/cloudevents+json',
      'application/cloudevents-batch+json',
      'application/x-ndjson',
    ],
    description: 'An event, an array of events, or one event on each line.',
    read: 'whole',
  },
  bodyBytes: (limits) => limits.bodyBytes,
  answer: z.object({ accepted: z.int(), quarantined: z.int(), results: z.array(Result) }),
  problems: [
    'invalid_input',
    'invalid_json',
    'batch_too_large',
    'queue_full',
    'disk_full',
    'warehouse_unavailable',
    'shutting_down',
  ],

  async handle(_input, { services, instruments, bytes, mediaType, now }) {
    const format = mediaType === 'application/x-ndjson' ? 'ndjson' : 'json';
    const answer = await ingestBody(bytes, format, services.ingest, now);
    instruments.events.add(answer.accepted, { way: 'http', outcome: 'accepted' });
    instruments.events.add(answer.quarantined, { way: 'http', outcome: 'quarantined' });
    return writeAnswer(answer);
  },
});

/** Thousands of small objects that the pipeline made itself: parsing them again would cost more than validating the events did. */
function writeAnswer({ accepted, quarantined, results }: IngestAnswer): RawAnswer {
  const content = JSON.stringify({
    accepted,
    quarantined,
    results: results.map((result) => {
      if (result.status === 'accepted') return { index: result.index, status: result.status, id: result.id };
      const { index, status, id, quarantineId, problem } = result;
      const { path, code, message } = problem;
      return { index, status, id, quarantine_id: quarantineId, problem: { path, code, message } };
    }),
  });
  return new RawAnswer('application/json; charset=utf-8', content);
}
