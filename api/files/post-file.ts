import { z } from '@hono/zod-openapi';
import { ingestAnyFile } from '../../ingest/ingest-any-file.js';
import { operation } from '../operation.js';
import { withUpload } from './upload.js';

export const postFile = operation({
  method: 'post',
  path: '/v1/files',
  scope: 'ingest',
  tag: 'Events',
  summary: 'Take in a file: NDJSON, Parquet, or CSV with a mapping; text also packed (.gz, .zst)',
  description:
    'The body is the file itself, streamed. A file is known by its content: the same one again changes nothing, and of one that grew only what ' +
    'is new goes in. What breaks off is taken in up to there; send it again.',
  query: z.strictObject({
    name: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[^/\\\p{Cc}]+$/u, 'a file name without a path')
      .refine((name) => name !== '.' && name !== '..' && name !== 'mapping.yaml', 'a file name')
      .openapi({
        description: 'Says what it is: events.ndjson, customers.csv, events.ndjson.gz, events.ndjson.zst.',
      }),
    mapping: z.string().min(1).max(16_000).optional().openapi({
      description: 'For CSV, and for Parquet whose rows are no events: the mapping file (YAML) as text.',
    }),
  }),
  rawBody: {
    mediaTypes: ['application/octet-stream'],
    description: 'The bytes of the file.',
    read: 'stream',
  },
  bodyBytes: (limits) => limits.fileBytes,
  onRepeat: 'another go',
  answer: z.object({
    name: z.string(),
    accepted: z.int(),
    quarantined: z.int(),
    is_known: z.boolean().openapi({ description: 'All of it had been taken in before.' }),
  }),
  problems: [
    'unsupported_format',
    'truncated_file',
    'invalid_file',
    'invalid_utf8',
    'invalid_mapping',
    'disk_full',
    'warehouse_unavailable',
    'shutting_down',
  ],

  async handle({ query }, { services, instruments, stream, now, log }) {
    const { ingest } = services;
    const report = await withUpload(ingest.temporaryDirectory, stream(), query, ({ path, mappingPath }) =>
      ingestAnyFile(
        path,
        ingest,
        {
          ...(mappingPath === null ? {} : { mapping: mappingPath }),
          onProgress: ({ accepted, quarantined }) => {
            log().debug({ file: query.name, accepted, quarantined }, 'ingest');
          },
        },
        now,
      ),
    );
    instruments.events.add(report.accepted, { way: 'file', outcome: 'accepted' });
    instruments.events.add(report.quarantined, { way: 'file', outcome: 'quarantined' });
    return {
      name: report.name,
      accepted: report.accepted,
      quarantined: report.quarantined,
      is_known: report.isKnown,
    };
  },
});
