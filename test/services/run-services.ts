/**
 * `npm run services`: Kafka, ClickHouse's engine and Postgres on this machine, for a look at the distributed set without Docker. They
 * hold nothing once this ends. Prints the three variables, and writes them to .test-services/env for `. .test-services/env`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagePath } from '../../platform/package-path.js';
import { hasClickHouse, startClickHouse } from '../support/clickhouse.js';
import { hasKafka, startKafka } from '../support/kafka.js';
import { hasPostgres, startPostgres } from '../support/postgres.js';

interface Started {
  readonly variable: string;
  readonly value: string;
  stop(): Promise<void>;
}

const SERVICES: readonly {
  readonly name: string;
  readonly isThere: () => boolean;
  readonly start: () => Promise<Started>;
}[] = [
  {
    name: 'Postgres',
    isThere: hasPostgres,
    start: async () => {
      const server = await startPostgres();
      return {
        variable: 'DATABASE_URL',
        value: await server.createDatabase(),
        stop: () => server.stop(),
      };
    },
  },
  {
    name: "ClickHouse (its engine in process, behind a small HTTP server of the tests')",
    isThere: hasClickHouse,
    start: async () => {
      const server = await startClickHouse();
      const value = `http://127.0.0.1:${server.port}/headgate`;
      return { variable: 'CLICKHOUSE_URL', value, stop: () => server.stop() };
    },
  },
  {
    name: 'Kafka',
    isThere: hasKafka,
    start: async () => {
      const broker = await startKafka();
      return { variable: 'KAFKA_BROKERS', value: broker.brokers, stop: () => broker.stop() };
    },
  },
];

const directory = packagePath('.test-services');
const started: Started[] = [];
try {
  for (const { name, isThere, start } of SERVICES) {
    if (!isThere()) continue;
    console.error(`Starting ${name} …`);
    started.push(await start());
  }
  const lines = started.map(({ variable, value }) => `export ${variable}=${value}`).join('\n');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'env'), `${lines}\n`);
  console.log(lines);
  console.error(
    '\nReady. In another terminal:\n\n  . .test-services/env && npm run demo\n\nCtrl-C stops them all.',
  );
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve).once('SIGTERM', resolve);
  });
} finally {
  await Promise.all(started.map((service) => service.stop()));
}
