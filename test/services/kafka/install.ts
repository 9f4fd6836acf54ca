/** Fetches the test broker's jars ahead of the first test that wants them; says so when it can't, and fails nothing. */
import { installKafka, missingForKafka } from '../../support/kafka-jars.js';

const missing = missingForKafka();
if (missing !== null) console.error(`Kafka's jars were not fetched: ${missing}`);
else {
  await installKafka().catch((error: unknown) => {
    console.error(`Kafka's jars were not fetched: ${error instanceof Error ? error.message : String(error)}`);
  });
}
