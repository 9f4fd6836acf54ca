import { table } from '../../cli/output.js';

/** One measured thing beside its floor, measured in the same run. */
export interface Figure {
  readonly name: string;
  readonly measured: string;
  readonly floor: string;
  /** `2.1×`, `0.4 of the floor`, `+3 ms`; empty where there is no floor. */
  readonly ratio: string;
  readonly target: string;
  readonly isMet: boolean | null;
  readonly note?: string;
}

export function printFigures(figures: readonly Figure[]): void {
  console.log(
    table(
      ['what', 'measured', 'floor', 'against it', 'target', ''],
      figures.map((figure) => [
        figure.name,
        figure.measured,
        figure.floor,
        figure.ratio,
        figure.target,
        figure.isMet === null ? '' : figure.isMet ? 'met' : 'MISSED',
      ]),
      ['left', 'right', 'right', 'right', 'right', 'left'],
    ),
  );
  for (const { name, note } of figures) if (note !== undefined) console.log(`\n${name}: ${note}`);
}

export async function timed<Result>(work: () => Promise<Result>): Promise<{ ms: number; result: Result }> {
  const started = performance.now();
  const result = await work();
  return { ms: performance.now() - started, result };
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
