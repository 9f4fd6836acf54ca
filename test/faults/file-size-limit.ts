import { execFileSync } from 'node:child_process';
import { isAvailable } from '../support/services.js';

/** Linux can change a limit of a running process; elsewhere only a shell can, before it starts one. */
export const canLimitFileSize = isAvailable(
  'A limit on the size of files',
  process.platform === 'linux' ? null : 'it needs Linux',
);

/**
 * From here on every write of a process, and of those it starts, fails beyond `bytes` of a file, as on a full disk.
 *
 * @returns takes the limit away again
 */
export function limitFileSize(bytes: number, pid: number = process.pid): () => void {
  setLimit(pid, String(bytes));
  return () => {
    setLimit(pid, 'resource.RLIM_INFINITY');
  };
}

function setLimit(pid: number, bytes: string): void {
  const limits = `(${bytes}, resource.RLIM_INFINITY)`;
  const script = `import resource; resource.prlimit(${pid}, resource.RLIMIT_FSIZE, ${limits})`;
  execFileSync('python3', ['-c', script]);
}
