import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { packagePath } from '../../platform/package-path.js';
import { installedAt, installOnce } from './install-once.js';

const POM = packagePath('test', 'services', 'kafka', 'pom.xml');
const JAVA_VERSION = 17;
/** Long enough for 46 MB over a slow line. */
const INSTALL_TIMEOUT_MS = 540_000;

/** Where the broker's jars are, or will be: one folder for each pom. */
function jarsDirectory(): string {
  const digest = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12);
  return installedAt(`kafka-${digest}`);
}

/** Why the broker can't be started here; null when it can, though its jars may have to be fetched first. */
export function missingForKafka(): string | null {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (java.error)
    return `there is no Java; install ${JAVA_VERSION} or later (Debian: openjdk-17-jre-headless)`;
  const version = Number(/version "(\d+)/.exec(java.stderr)?.[1] ?? 0);
  if (version < JAVA_VERSION) return `Java is ${version}; the broker needs ${JAVA_VERSION} or later`;
  if (existsSync(jarsDirectory())) return null;
  const maven = spawnSync('mvn', ['-version'], { encoding: 'utf8' });
  return maven.error ? 'there is no Maven to fetch its jars with; install mvn (Debian: maven)' : null;
}

export async function installKafka(): Promise<string> {
  const directory = jarsDirectory();
  await installOnce(directory, (unfinished) =>
    promisify(execFile)(
      'mvn',
      [
        '--batch-mode',
        '--quiet',
        '--strict-checksums',
        '--file',
        POM,
        `-DoutputDirectory=${unfinished}`,
      ].concat('dependency:copy-dependencies'),
      { timeout: INSTALL_TIMEOUT_MS },
    ),
  );
  return directory;
}
