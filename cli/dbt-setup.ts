import type { DataDirectoryLayout } from '../platform/data-directory.js';
import type { DbtSetup } from '../transforms/runner/dbt-build.js';
import { ensurePythonEnvironment } from '../transforms/runner/python-environment.js';
import { cacheDirectory } from './cache-directory.js';
import type { TransformerParts } from './transformer-parts.js';

/** What dbt may see of our environment: where programs and caches are, nothing of ours. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'SSL_CERT_FILE'] as const;

export function dbtSetup(
  { config, environment }: Pick<TransformerParts, 'config' | 'environment'>,
  layout: DataDirectoryLayout,
): DbtSetup {
  return {
    inherited: Object.fromEntries(INHERITED.map((name) => [name, environment[name]])),
    cacheDirectory: cacheDirectory(environment),
    processFile: layout.dependentFile,
    python: (onProgress) =>
      ensurePythonEnvironment({
        cacheDirectory: cacheDirectory(environment),
        onProgress,
        ...(config.python === null ? {} : { python: config.python }),
      }),
  };
}
