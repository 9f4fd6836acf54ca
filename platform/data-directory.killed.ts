import { openDataDirectory } from './data-directory.js';

/** A process for tests: it takes the directory, says so, and keeps it until it is killed. */
try {
  const directory = await openDataDirectory(process.argv[2] ?? '', { command: 'headgate serve', now: 0n });
  await directory.publishServer({ url: 'http://127.0.0.1:8471', token: 'hg_local' });
  process.send?.('held');
  setInterval(() => undefined, 60_000);
} catch {
  process.send?.('refused');
}
