/** Starts a broker, says its port, and waits for an end that a test brings. */
import { startKafka } from '../../support/kafka.js';

const { ports } = await startKafka();
console.log(`listening ${ports.plain}`);
setInterval(() => undefined, 60_000);
