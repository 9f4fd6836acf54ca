import { startDependent } from './dependent-process.js';

/** A process for a test to kill: what it started goes on, and only its record tells of it. */
const [root = '', recordFile = ''] = process.argv.slice(2);
const { child } = startDependent({
  command: 'sh',
  args: ['-c', 'read word; exec sleep 600 > /dev/null 2>&1'],
  environment: { PATH: '/usr/bin:/bin' },
  workingDirectory: root,
  recordFile,
});
process.send?.(child.pid);
