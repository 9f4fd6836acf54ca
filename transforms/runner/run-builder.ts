import { z } from 'zod';
import type { Instant } from '../../core/time.js';
import type { Run } from '../run-store.js';
import type { RunPlan } from './transform.js';

/** What the kept facts stand at: the run that built them last, and the as-of and definition it had. */
export interface KeptFacts {
  readonly runId: string;
  readonly asOf: Instant;
  readonly definition: string;
  /** False after a full build: then every key may have changed. */
  readonly wasIncremental: boolean;
}

/** What a build tells about itself, for `run_info`'s siblings in SQL: rows by stream, and where the time went. */
export interface BuiltMarts {
  readonly eventCounts: Readonly<Record<string, number>>;
  readonly timings: Readonly<Record<string, number>>;
}

/** A row of `run_event_counts`, on either engine. */
export const EventCount = z.object({ stream: z.string(), events: z.bigint() });

export interface BuildRequest {
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Tells which of these runs are in the `runs` table, and how they stand. */
export type StatusesOf = (runIds: readonly string[]) => Promise<ReadonlyMap<string, Run['status']>>;

/** What of a run depends on the engine. Everything else of it is in transform.ts. */
export interface RunBuilder {
  /** Where a run's marts will be, as the `runs` table has it. */
  locationOf(runId: string): string;
  /** The facts that a run after `current` may build on; null when there are none, or none that are whole. */
  readKeptFacts(current: Run | null): Promise<KeptFacts | null>;
  /**
   * Builds and tests a run's marts and facts. When it returns they are whole at the run's location, where nobody looks before the run
   * is published; when it throws, nothing that was served has changed.
   */
  build(plan: RunPlan, request: BuildRequest): Promise<BuiltMarts>;
  /** Takes away what builds left that did not end, and what is left of runs that nobody may ask for. */
  removeLeftovers(statusesOf: StatusesOf): Promise<void>;
  /** These runs may not be asked for any more; readers that hold one go on reading. */
  letGo(runIds: readonly string[]): Promise<void>;
  /** Work that can wait until a run is published. What fails here is done with the next run. */
  afterPublication(plan: RunPlan): Promise<void>;
}
