/** Fetches what comes from neither npm nor PyPI ahead of the first test that wants it; says what it can't, and fails nothing. */
import { installKafka, missingForKafka } from '../support/kafka-jars.js';
import { installStripeMock, missingForStripeMock } from '../support/stripe-mock.js';

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function fetchAhead(name: string, missing: string | null, install: () => Promise<string>) {
  const failure =
    missing ??
    (await install().then(
      () => null,
      (error: unknown) => wordsOf(error),
    ));
  if (failure !== null) console.error(`${name} was not fetched: ${failure}`);
}

await fetchAhead('the Kafka broker', missingForKafka(), installKafka);
await fetchAhead('stripe-mock', missingForStripeMock(), installStripeMock);
