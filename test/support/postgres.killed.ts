import { startPostgres } from './postgres.js';

/** A process for a test to kill: it starts a server, says where, and waits. */
const { port, directory } = await startPostgres();
process.send?.({ port, directory });
