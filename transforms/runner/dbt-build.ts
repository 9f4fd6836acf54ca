import { join } from 'node:path';
import { runDbt, type DbtCall, type DbtOutcome } from './dbt.js';
import { prepareParsedProject } from './parsed-project.js';
import type { PythonEnvironment } from './python-environment.js';
import type { BuildRequest } from './run-builder.js';
import type { Stopwatch } from './stopwatch.js';

/** What every build with dbt needs, whatever the engine. */
export interface DbtSetup {
  readonly python: (onProgress: (message: string) => void) => Promise<PythonEnvironment>;
  /** PATH, HOME and the like, for dbt; nothing secret. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** Shared by a user's data directories. */
  readonly cacheDirectory: string;
  /** Names dbt's process while it works. */
  readonly processFile: string;
}

export type DbtBuild = Pick<
  DbtCall,
  'target' | 'scratchDirectory' | 'workingDirectory' | 'environment' | 'variables'
> & {
  /** Differs wherever dbt would have to parse the project anew. */
  readonly variant: string;
};

/**
 * Builds and tests the whole project, with dbt's parse kept warm.
 *
 * @throws as `runDbt`
 */
export async function buildWithDbt(
  { python, inherited, cacheDirectory, processFile }: DbtSetup,
  { variant, ...build }: DbtBuild,
  { onProgress, signal }: BuildRequest,
  stopwatch: Stopwatch,
): Promise<DbtOutcome> {
  const { dbt } = await python(onProgress);
  stopwatch.lap('python');
  onProgress('Building and testing the marts …');
  const offerParsed = await prepareParsedProject({
    targetPath: join(build.scratchDirectory, 'target'),
    cacheDirectory,
    variant: `${dbt} ${variant}`,
  });
  try {
    const outcome = await runDbt({
      ...build,
      dbt,
      inherited,
      processFile,
      onNode: (_node, done) => {
        if (done % 10 === 0) onProgress(`Building and testing the marts … ${done} parts done`);
      },
      signal,
    });
    await offerParsed();
    return outcome;
  } finally {
    stopwatch.lap('dbt');
  }
}
