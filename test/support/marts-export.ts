import { readdirSync } from 'node:fs';
import { z } from 'zod';
import { packagePath } from '../../platform/package-path.js';
import type { RunAccess } from '../../transforms/run-access.js';
import type { Run } from '../../transforms/run-store.js';
import type { TestCompany } from './company.js';

const AnyRow = z.record(z.string(), z.unknown());

/** Every mart but `run_info`, which tells of the run itself. */
export const MARTS: readonly string[] = readdirSync(packagePath('transforms', 'models', 'marts'), {
  recursive: true,
})
  .map(String)
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.replace(/^.*\//, '').replace(/\.sql$/, ''))
  .filter((name) => !name.startsWith('run_'))
  .sort();

/** A value as text, the same from both engines: integers and decimals as digits, NULL as null. */
export function exported(value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'number') return value.toString();
  if (typeof value !== 'string') return value ?? null;
  return /^-?\d+\.\d+$/.test(value) ? value.replace(/\.?0+$/, '') : value;
}

/** NDJSON of a mart, sorted: equal marts give equal text. */
export function exportText(rows: readonly Readonly<Record<string, unknown>>[]): string {
  return rows
    .map((row) =>
      JSON.stringify(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, exported(value)]))),
    )
    .sort()
    .join('\n');
}

export function exportMarts(company: TestCompany, run: Run): Promise<Map<string, string>> {
  return exportRun(company.runtime.services.runs, run);
}

/** All marts of a run, as `name → NDJSON`. */
export async function exportRun(runs: RunAccess, run: Run): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  await runs.withRun({ runId: run.runId }, async ({ reader }) => {
    for (const mart of MARTS) {
      texts.set(mart, exportText(await reader.query(`select * from ${reader.relation}.${mart}`, {}, AnyRow)));
    }
  });
  return texts;
}

/** Fails with the first rows that differ, not with megabytes. */
export function expectEqualMarts(
  actual: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): void {
  const differences: string[] = [];
  for (const [mart, text] of expected) {
    const other = actual.get(mart) ?? '';
    if (other === text) continue;
    const [ours, theirs] = [new Set(other.split('\n')), new Set(text.split('\n'))];
    const onlyOurs = [...ours].filter((line) => !theirs.has(line)).slice(0, 3);
    const onlyTheirs = [...theirs].filter((line) => !ours.has(line)).slice(0, 3);
    differences.push(
      `${mart}:\n  only actual:   ${onlyOurs.join('\n                 ')}\n  only expected: ${onlyTheirs.join('\n                 ')}`,
    );
  }
  if (differences.length > 0) throw new Error(`marts differ\n${differences.join('\n')}`);
}
