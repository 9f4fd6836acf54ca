import { HeadgateError, InputError, UnavailableError } from '../../core/errors.js';
import type { KafkaConfig } from '../config.js';

/** The parts of kafkajs' errors that tell them apart. */
interface KafkaFault {
  readonly name: string;
  readonly message: string;
  /** Of a broker's answer: TOPIC_AUTHORIZATION_FAILED. */
  readonly type: string;
  /** Of the system: ECONNREFUSED. */
  readonly code: string;
  /** host:port, where the fault has to do with a connection. */
  readonly broker: string;
}

const RETRY_AFTER_SECONDS = 5;
const CERTIFICATE = /self.signed|unable to (?:verify|get)|certificate has expired|DEPTH_ZERO|CERT_/i;
const NOT_TLS = /wrong version number|EPROTO|before secure TLS connection|packet length too long/i;
const CLOSED = /closed connection|connection closed|ECONNRESET|socket hang up/i;
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const TOO_FEW_REPLICAS = new Set(['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND']);

/**
 * An error of kafkajs as ours, which names the setting to change. What a setting causes is an InputError; what may pass by itself is an
 * UnavailableError.
 */
export function kafkaError(error: unknown, what: string, config: KafkaConfig): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const faults = faultsOf(error);
  const settingToChange = wrongLogin(faults, config) ?? wrongTls(faults, config) ?? forbidden(faults);
  if (settingToChange !== null) {
    return new InputError('invalid_config', `${what}: ${settingToChange}`, { cause: error });
  }
  if (faults.some(({ type }) => TOO_LARGE.has(type))) {
    return new InputError(
      'event_too_large',
      `${what}: a message is larger than the topic takes; raise max.message.bytes of the topics, or lower HEADGATE_MAX_EVENT_BYTES`,
      { status: 413, cause: error },
    );
  }
  return new UnavailableError('log_unavailable', `${what}: ${whatIsAway(faults, config)}`, {
    cause: error,
    details: { retryAfterSeconds: RETRY_AFTER_SECONDS },
  });
}

/** From the outside in. An aggregate (kafkajs: several topics at once) is followed by its first. */
function faultsOf(error: unknown): KafkaFault[] {
  if (!(error instanceof Error)) return [];
  const text = (name: string): string => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' ? value : '';
  };
  const errors: unknown = Reflect.get(error, 'errors');
  const inner: unknown = Array.isArray(errors) ? errors[0] : error.cause;
  return [
    {
      name: error.name,
      message: error.message,
      type: text('type'),
      code: text('code'),
      broker: text('broker'),
    },
    ...(inner === error ? [] : faultsOf(inner)),
  ];
}

/** Whether an answer of a broker with this type is among what happened. */
export function hasType(error: unknown, ...types: readonly string[]): boolean {
  return faultsOf(error).some(({ type }) => types.includes(type));
}

function wrongLogin(faults: readonly KafkaFault[], { sasl }: KafkaConfig): string | null {
  const fault = faults.find(
    ({ name, type }) => name === 'KafkaJSSASLAuthenticationError' || type.includes('SASL'),
  );
  if (fault === undefined || sasl === null) return null;
  if (/not support|not enabled|unsupported/i.test(`${fault.message} ${fault.type}`)) {
    return `the brokers do not take the mechanism ${sasl.mechanism}; change HEADGATE_KAFKA_SASL`;
  }
  return (
    `the brokers refuse the user "${sasl.username}"; check HEADGATE_KAFKA_USERNAME, HEADGATE_KAFKA_PASSWORD ` +
    `and HEADGATE_KAFKA_SASL (${sasl.mechanism})`
  );
}

function wrongTls(faults: readonly KafkaFault[], { tls, caFile, brokers }: KafkaConfig): string | null {
  if (!tls) return null;
  const said = faults.map(({ code, message }) => `${code} ${message}`).join(' ');
  if (/ALTNAME_INVALID|altnames/i.test(said)) {
    return `the brokers' certificate is for another name than ${brokers.join(',')}; use that name in KAFKA_BROKERS`;
  }
  if (CERTIFICATE.test(said)) {
    return caFile === null
      ? 'no authority that this machine knows signed the brokers’ certificate; name its own in HEADGATE_KAFKA_CA_FILE'
      : `the brokers' certificate was not signed by HEADGATE_KAFKA_CA_FILE (${caFile}), or has expired`;
  }
  if (NOT_TLS.test(said) || CLOSED.test(said)) {
    return `${brokers.join(',')} does not answer in TLS; use its TLS port in KAFKA_BROKERS, or set HEADGATE_KAFKA_TLS=false`;
  }
  return null;
}

function forbidden(faults: readonly KafkaFault[]): string | null {
  const fault = faults.find(({ type }) => type.endsWith('_AUTHORIZATION_FAILED'));
  if (fault === undefined) return null;
  const thing = fault.type.replace('_AUTHORIZATION_FAILED', '').toLowerCase().replaceAll('_', ' ');
  return (
    `the brokers forbid it (${thing}); allow the user of HEADGATE_KAFKA_USERNAME to Describe, DescribeConfigs, Read and Write the ` +
    'topics, and to Read the group (before Kafka 3.0 also IdempotentWrite on the cluster)'
  );
}

function whatIsAway(faults: readonly KafkaFault[], { tls, sasl, brokers }: KafkaConfig): string {
  const [outer] = faults;
  const last = faults.at(-1);
  const said = last?.message ?? outer?.message ?? 'unknown error';
  if (faults.some(({ type }) => TOO_FEW_REPLICAS.has(type))) {
    return 'fewer replicas are in sync than min.insync.replicas of the topic; are brokers away?';
  }
  if (faults.some(({ type }) => type === 'UNKNOWN_TOPIC_OR_PARTITION')) {
    return 'a topic is not there; was it deleted? Start again: what is missing is made then';
  }
  const stranger = faults.find(({ broker }) => broker !== '' && !brokers.includes(broker))?.broker;
  if (stranger !== undefined) {
    return (
      `${brokers.join(',')} names ${stranger} as a broker, and that cannot be reached (${said}); ` +
      'check advertised.listeners of the brokers'
    );
  }
  const isClosed = faults.some(({ message, code }) => CLOSED.test(`${code} ${message}`));
  if (isClosed && !tls && sasl === null) {
    return (
      `${brokers.join(',')} closes the connection; if the port expects TLS set HEADGATE_KAFKA_TLS=true, ` +
      'if it expects a password set HEADGATE_KAFKA_SASL'
    );
  }
  return `${said}; are the brokers of KAFKA_BROKERS (${brokers.join(',')}) up and reachable?`;
}
