import type { Stream } from '../core/raw-event.js';

/** Where everything embedded lives. Paths are absolute. */
export interface DataDirectoryLayout {
  readonly root: string;
  readonly lockFile: string;
  readonly versionFile: string;
  readonly keysFile: string;
  readonly warehouseFile: string;
  readonly sqlDirectory: string;
  readonly lakeDirectory: string;
  /** The facts that runs keep; only dbt opens it. */
  readonly factsFile: string;
  readonly runsDirectory: string;
  /** Scratch of this process, emptied when the directory is opened. */
  readonly temporaryDirectory: string;
  runDirectory(runId: string): string;
  marts(runId: string): string;
  runFacts(runId: string, stream: Stream): string;
}

/** A process that holds a data directory, as its lock file tells. */
export interface DirectoryHolder {
  readonly pid: number;
  /** With the pid, names one process for ever: pids are reused, start times of a pid are not. */
  readonly processStart: string;
  readonly host: string;
  readonly command: string;
  readonly since: string;
  /** Set once it serves: other commands go through it. */
  readonly server: { readonly url: string; readonly token: string } | null;
}

/** A data directory that this process holds. */
export interface DataDirectory extends DataDirectoryLayout {
  /** Tells other processes that this one serves. The token is readable by the directory's owner alone. */
  publishServer(server: { url: string; token: string }): Promise<void>;
  release(): Promise<void>;
}
