import { InputError, RefusedError } from '../core/errors.js';
import { formatInstant, type Instant } from '../core/time.js';
import type { Sql } from '../platform/sql/sql.js';
import type { RunReader, Warehouse } from '../platform/warehouse/warehouse.js';
import { currentRun, findRun, runAsOf, type Run } from './run-store.js';

/** A run held open for the length of one piece of work. */
export interface OpenRun {
  readonly run: Run;
  readonly reader: RunReader;
}

/** Which run to read: the current one, one measured at an instant, or one by its id. */
export type RunChoice = { readonly asOf?: Instant | undefined; readonly runId?: string | undefined };

/** The pointer of a store that several processes share: another one may move it, so what is known of it grows old. */
export interface SharedPointer {
  readonly clock: () => Instant;
  readonly goodForMs: number;
}

interface AskedPointer {
  readonly run: Promise<Run | null>;
  readonly at: Instant;
}

/** Opens published runs for readers. The pointer is resolved once per piece of work, so none sees two runs. */
export class RunAccess {
  /** Asking the store with every request would cost more than the answer. */
  private current: AskedPointer | null = null;

  /** @param shared null where the pointer moves only in this process, which says so */
  constructor(
    private readonly sql: Sql,
    private readonly warehouse: Pick<Warehouse, 'openRun'>,
    private readonly shared: SharedPointer | null = null,
  ) {}

  /** @throws RefusedError as `choose` does */
  async withRun<Result>(choice: RunChoice, work: (open: OpenRun) => Promise<Result>): Promise<Result> {
    return this.read(await this.choose(choice), work);
  }

  /** For readers that chose before: the run stays open until `work` is done. */
  async read<Result>(run: Run, work: (open: OpenRun) => Promise<Result>): Promise<Result> {
    const reader = await this.open(run);
    try {
      return await work({ run, reader });
    } finally {
      await reader.release();
    }
  }

  private async open(run: Run): Promise<RunReader> {
    try {
      return await this.warehouse.openRun(run);
    } catch (error) {
      if (!(error instanceof InputError) || error.code !== 'run_not_found') throw error;
      // Somebody removed its files by hand; its events are all still there.
      const command = run.isHistorical
        ? `headgate transform --as-of ${formatInstant(run.asOf)}`
        : 'headgate transform';
      throw new RefusedError(
        'no_run',
        `the marts of run ${run.runId} are gone from ${run.location}; make new ones with: ${command}`,
        { details: { command }, cause: error },
      );
    }
  }

  /** To be called when a run was published. */
  pointerMoved(): void {
    this.current = null;
  }

  /**
   * @throws RefusedError `no_run` before the first transform, `no_run_as_of` when nobody measured at that instant; both name the
   *   command that makes one
   */
  async choose({ asOf, runId }: RunChoice): Promise<Run> {
    if (runId !== undefined) return this.byId(runId);
    if (asOf !== undefined) {
      const run = await runAsOf(this.sql, asOf);
      if (run !== null) return run;
      const command = `headgate transform --as-of ${formatInstant(asOf)}`;
      throw new RefusedError(
        'no_run_as_of',
        `there is no run as of ${formatInstant(asOf)}; make one with: ${command}`,
        { details: { command } },
      );
    }
    const current = await this.resolvePointer();
    if (current !== null) return current;
    const command = 'headgate transform';
    throw new RefusedError('no_run', `there are no numbers yet; make them with: ${command}`, {
      details: { command },
    });
  }

  /** The one that readers are given now; null before the first. */
  async currentRunId(): Promise<string | null> {
    return (await this.resolvePointer())?.runId ?? null;
  }

  private async resolvePointer(): Promise<Run | null> {
    const now = this.shared?.clock() ?? 0n;
    if (this.current === null || this.isOld(this.current, now)) {
      this.current = { run: currentRun(this.sql), at: now };
    }
    const asked = this.current;
    try {
      return await asked.run;
    } catch (error) {
      if (this.current === asked) this.current = null;
      throw error;
    }
  }

  /** A clock that was set back makes everything old, not everything new. */
  private isOld({ at }: AskedPointer, now: Instant): boolean {
    if (this.shared === null) return false;
    return now < at || now - at > BigInt(this.shared.goodForMs) * 1000n;
  }

  private async byId(runId: string): Promise<Run> {
    const run = await findRun(this.sql, runId);
    if (run?.status === 'published') return run;
    throw new RefusedError('run_not_found', `there is no published run ${runId}; headgate runs lists them`, {
      status: 404,
    });
  }
}
