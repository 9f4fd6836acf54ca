import { z } from 'zod';
import { InputError } from '../../core/errors.js';
import type { ClickHouseConnection } from './clickhouse-connection.js';
import { isGone } from './clickhouse-errors.js';
import { factsDatabase, rawRowsRelation } from './clickhouse-target.js';
import type { RunLocation, RunReader } from './warehouse.js';

const Found = z.object({ databases: z.bigint() });

/** Runs that were there a moment ago are taken to be there: a server is asked once for each, and an answer that it is gone says so too. */
const REMEMBERED_RUNS = 20;

/** Published runs: a database of marts each. Nothing has to be attached or let go. */
export class ClickHouseRuns {
  private readonly seen = new Set<string>();

  constructor(private readonly connection: ClickHouseConnection) {}

  async open(run: RunLocation): Promise<RunReader> {
    if (!this.seen.has(run.location)) await this.requireDatabase(run);
    const { connection } = this;
    const { database } = connection.target;
    return {
      dialect: 'clickhouse',
      runId: run.runId,
      relation: run.location,
      facts: (stream) => `${factsDatabase(database, run.runId)}.fct_${stream}`,
      raw: (stream) => rawRowsRelation(database, stream),
      query: (sql, parameters, rowSchema) =>
        this.whileThere(run, () => connection.query(sql, parameters, rowSchema)),
      stream: (sql, parameters, rowSchema) => connection.stream(sql, parameters, rowSchema),
      release: () => Promise.resolve(),
    };
  }

  /** A run that somebody dropped meanwhile is told as one that is not there. */
  async whileThere<Result>(run: RunLocation, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (isGone(error)) await this.requireDatabase(run);
      throw error;
    }
  }

  private async requireDatabase(run: RunLocation): Promise<void> {
    const [found] = await this.connection.query(
      'SELECT count() AS databases FROM system.databases WHERE name = $name',
      { name: run.location },
      Found,
    );
    if (found?.databases !== 1n) {
      this.seen.delete(run.location);
      throw new InputError(
        'run_not_found',
        `run ${run.runId}: its marts are not in database ${run.location}`,
        {
          status: 404,
        },
      );
    }
    if (this.seen.size >= REMEMBERED_RUNS) this.seen.clear();
    this.seen.add(run.location);
  }
}
