import { readFileSync } from 'node:fs';
import { Kafka, logLevel, type KafkaConfig as ClientConfig, type SASLOptions } from 'kafkajs';
import type { Logger } from 'pino';
import { InputError } from '../../core/errors.js';
import type { KafkaConfig } from '../config.js';
import { calmRequestQueue } from './kafkajs-request-queue.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** Within one send's time there must be room for a request without an answer, and for asking again. */
const REQUESTS_PER_TIMEOUT = 3;
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 3 };

/** How to reach the brokers; kafkajs takes the same for clients of every kind. */
export interface KafkaConnection {
  readonly clientId: string;
  readonly brokers: string[];
  readonly ssl: { readonly ca?: string } | false;
  readonly sasl?: SASLOptions;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
}

/** @throws InputError `invalid_config` when the authority's file can't be read */
export function kafkaConnection(config: KafkaConfig): KafkaConnection {
  const { brokers, tls, timeoutMs } = config;
  return {
    clientId: 'headgate',
    brokers: [...brokers],
    ssl: tls ? authorityOf(config) : false,
    ...saslOf(config),
    connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
    requestTimeout: requestTimeoutMs(config),
  };
}

export function requestTimeoutMs({ timeoutMs }: KafkaConfig): number {
  return Math.ceil(timeoutMs / REQUESTS_PER_TIMEOUT);
}

export function kafkaClient(config: KafkaConfig, logger: Logger): Kafka {
  calmRequestQueue();
  const connection: ClientConfig = kafkaConnection(config);
  return new Kafka({
    ...connection,
    retry: RETRY,
    logLevel: logLevel.WARN,
    // kafkajs calls each attempt that fails an error; what matters in it reaches callers as one of ours.
    logCreator:
      () =>
      ({ namespace, log: { message } }) => {
        logger.debug({ kafka: namespace }, message);
      },
  });
}

function authorityOf({ caFile }: KafkaConfig): { ca?: string } {
  if (caFile === null) return {};
  try {
    return { ca: readFileSync(caFile, 'utf8') };
  } catch (error) {
    throw new InputError('invalid_config', `config: HEADGATE_KAFKA_CA_FILE: cannot read ${caFile}`, {
      cause: error,
    });
  }
}

function saslOf({ sasl }: KafkaConfig): { sasl?: SASLOptions } {
  if (sasl === null) return {};
  const { mechanism, username } = sasl;
  return { sasl: { mechanism, username, password: sasl.password.reveal() } };
}
