import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packagePath } from '../../platform/package-path.js';
import { lineFrom } from '../support/command-line.js';
import { hasKafka, startKafka, type KafkaBroker } from '../support/kafka.js';
import { KAFKA_USER } from '../support/kafka-settings.js';

const OWNER = packagePath('test', 'services', 'kafka', 'start-and-wait.ts');

describe.runIf(hasKafka())('the real broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka({ secure: true });
  });
  afterAll(() => broker.stop());

  const client = (port: number, more: object = {}) =>
    new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING, ...more });

  async function isWelcome(kafka: Kafka): Promise<boolean> {
    const admin = kafka.admin({ retry: { retries: 0 } });
    try {
      await admin.connect();
      await admin.listTopics();
      return true;
    } catch {
      return false;
    } finally {
      await admin.disconnect();
    }
  }

  test('takes clients plainly, with TLS, and with each kind of password over TLS; refuses a wrong one', async () => {
    const ssl = { ca: readFileSync(broker.caFile, 'utf8') };
    const sasl = (mechanism: string, password: string = KAFKA_USER.password) => ({
      sasl: { mechanism, username: KAFKA_USER.username, password },
    });
    const { plain, tls, saslTls, sasl: saslPlain } = broker.ports;
    expect(await isWelcome(client(plain))).toBe(true);
    expect(await isWelcome(client(tls, { ssl }))).toBe(true);
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
      expect(await isWelcome(client(saslPlain, sasl(mechanism)))).toBe(true);
      expect(await isWelcome(client(saslTls, { ssl, ...sasl(mechanism) }))).toBe(true);
      expect(await isWelcome(client(saslPlain, sasl(mechanism, 'wrong')))).toBe(false);
    }
  });

  test('killed and started again, it has what it had, on the same port', async () => {
    const admin = client(broker.ports.plain).admin();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'kept', numPartitions: 3 }] });
    await admin.disconnect();
    await broker.kill();
    await broker.restart();
    const again = client(broker.ports.plain).admin();
    expect(await again.listTopics()).toContain('kept');
    await again.disconnect();
  });

  test('ends with its starter, however that ends', async () => {
    const owner = spawn(process.execPath, ['--import', 'tsx', OWNER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [, port] = await lineFrom(owner.stdout, /^listening (\d+)$/m);
    owner.kill('SIGKILL');
    await expect.poll(() => isListening(Number(port)), { timeout: 20_000 }).toBe(false);
  });
});

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
