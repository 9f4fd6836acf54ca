import { z } from 'zod';
import { MRR_PER_ORG_MINOR } from './company-events.js';
import { Refused, type LiveServer } from './live-server.js';

const MetricAnswer = z.object({
  run_id: z.string(),
  values: z.array(z.object({ value: z.string().regex(/^\d+$/) })),
});
const DrillAnswer = z.object({
  run_id: z.string(),
  sides: z.record(z.string(), z.object({ sum: z.string() })),
});
const MONTH = '2025-02-01';
const MRR = `/v1/metrics/mrr?from=${MONTH}&to=2025-03-01&currency=USD`;
const DRILL = `/v1/metrics/mrr/drill?month=${MONTH}&currency=USD&limit=1`;

/**
 * A reader who trusts nothing: once a run was published there is always an answer, never from an older run than before; a run's number
 * never changes, is a whole number of customers, never falls from run to run, and its drill adds up to it.
 */
export class PointerReader {
  private newest: string | null = null;
  private readonly valueOf = new Map<string, bigint>();

  get runsRead(): number {
    return this.valueOf.size;
  }

  published(runId: string): void {
    if (this.newest === null || runId > this.newest) this.newest = runId;
  }

  async read(server: LiveServer): Promise<void> {
    const expected = this.newest;
    let answer: z.infer<typeof MetricAnswer>;
    try {
      answer = await server.ask(MetricAnswer, MRR);
    } catch (error) {
      if (error instanceof Refused && error.text.includes('"no_run"') && expected === null) return;
      throw error;
    }
    const { run_id: runId, values } = answer;
    if (expected !== null && runId < expected) {
      throw new Error(`run ${runId} was answered after ${expected} had been published`);
    }
    this.published(runId);
    const value = BigInt(values[0]?.value ?? '0');
    this.check(runId, value);
    const drilled = await server.ask(DrillAnswer, DRILL);
    const sum = BigInt(drilled.sides['value']?.sum ?? '0');
    if (drilled.run_id === runId && sum !== value) {
      throw new Error(`run ${runId}: MRR is ${value}, its drill adds up to ${sum}`);
    }
  }

  private check(runId: string, value: bigint): void {
    const known = this.valueOf.get(runId);
    if (known !== undefined && known !== value)
      throw new Error(`run ${runId} said ${known}, and now ${value}`);
    if (value % MRR_PER_ORG_MINOR !== 0n) throw new Error(`run ${runId}: ${value} is no number of customers`);
    for (const [other, otherValue] of this.valueOf) {
      if (other < runId ? otherValue > value : otherValue < value) {
        throw new Error(
          `run ${other} said ${otherValue} and run ${runId} ${value}, though no event ever goes`,
        );
      }
    }
    this.valueOf.set(runId, value);
  }
}
