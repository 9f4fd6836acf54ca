import { z } from '@hono/zod-openapi';
import { watermarkJson } from '../../core/raw-event.js';
import type { Run } from '../../transforms/run-store.js';
import { InstantAnswer } from '../shapes.js';

/** A build of the marts, as the API shows it. */
export const RunShape = z
  .object({
    run_id: z.string(),
    status: z.enum(['building', 'published', 'failed', 'dropped']),
    as_of: InstantAnswer,
    watermark: z.record(z.string(), z.array(z.tuple([z.int(), z.int()]))),
    catalog_version: z
      .bigint()
      .nullable()
      .transform((version) => (version === null ? null : Number(version))),
    is_incremental: z.boolean(),
    is_historical: z.boolean(),
    event_counts: z.record(z.string(), z.number()).nullable(),
    timings: z.record(z.string(), z.number()).nullable(),
    failure: z.string().nullable(),
    started_at: InstantAnswer,
    finished_at: InstantAnswer.nullable(),
  })
  .openapi('Run');

export function runShape(run: Run): z.input<typeof RunShape> {
  return {
    run_id: run.runId,
    status: run.status,
    as_of: run.asOf,
    watermark: watermarkJson(run.watermark),
    catalog_version: run.catalogVersion,
    is_incremental: run.isIncremental,
    is_historical: run.isHistorical,
    event_counts: run.eventCounts,
    timings: run.timings,
    failure: run.failure,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
  };
}
