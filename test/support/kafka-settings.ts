import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Ports of one broker. Clients that need no password use `plain`; it is also how the broker talks to itself. */
export interface KafkaPorts {
  readonly plain: number;
  /** Plain too, for what stands between a client and the broker: the broker tells its clients to come to `proxy`. */
  readonly proxied: number;
  readonly proxy: number;
  readonly controller: number;
  readonly sasl: number;
  readonly tls: number;
  readonly saslTls: number;
}

/** Who may come in by `sasl` and `saslTls`, and may do only what an ACL allows. Anybody on `plain` may do everything. */
export const KAFKA_USER = { username: 'headgate', password: 'a password of tests' } as const;

const KEYSTORE_PASSWORD = 'changeit';
const PLAIN_PROTOCOLS = 'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT';

/** Writes the broker's server.properties, with listeners for TLS and SASL when it is to be `secure`; returns its path. */
export function writeKafkaSettings(
  directory: string,
  ports: KafkaPorts,
  { secure, settings }: { secure: boolean; settings: Readonly<Record<string, string>> },
): string {
  const file = join(directory, 'server.properties');
  const all = {
    ...plainSettings(directory, ports),
    ...(secure ? secureSettings(directory, ports) : {}),
    ...settings,
  };
  writeFileSync(
    file,
    Object.entries(all)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  return file;
}

function plainSettings(directory: string, ports: KafkaPorts): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: plainListeners(ports),
    'advertised.listeners': advertised(ports),
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': PLAIN_PROTOCOLS,
    'log.dirs': join(directory, 'data'),
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // A group of one need not wait three seconds for others.
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
  };
}

function plainListeners({ plain, proxied, controller }: KafkaPorts): string {
  return `PLAINTEXT://127.0.0.1:${plain},PROXIED://127.0.0.1:${proxied},CONTROLLER://127.0.0.1:${controller}`;
}

function secureListeners({ sasl, tls, saslTls }: KafkaPorts): string {
  return `SASL://127.0.0.1:${sasl},TLS://127.0.0.1:${tls},SASLTLS://127.0.0.1:${saslTls}`;
}

function advertised({ plain, proxy }: KafkaPorts): string {
  return `PLAINTEXT://127.0.0.1:${plain},PROXIED://127.0.0.1:${proxy}`;
}

function secureSettings(directory: string, ports: KafkaPorts): Record<string, string> {
  const keystore = makeCertificate(directory);
  const login = (module: string, more: string) =>
    `org.apache.kafka.common.security.${module} required ${more};`;
  const plainUser = `user_${KAFKA_USER.username}="${KAFKA_USER.password}"`;
  const jaas = ['sasl', 'sasltls'].flatMap((listener): [name: string, value: string][] => [
    [`listener.name.${listener}.plain.sasl.jaas.config`, login('plain.PlainLoginModule', plainUser)],
    ...['256', '512'].map((bits): [name: string, value: string] => [
      `listener.name.${listener}.scram-sha-${bits}.sasl.jaas.config`,
      login('scram.ScramLoginModule', ''),
    ]),
  ]);
  return {
    listeners: `${plainListeners(ports)},${secureListeners(ports)}`,
    'advertised.listeners': `${advertised(ports)},${secureListeners(ports)}`,
    'listener.security.protocol.map': `${PLAIN_PROTOCOLS},SASL:SASL_PLAINTEXT,TLS:SSL,SASLTLS:SASL_SSL`,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'ssl.keystore.location': keystore,
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.password': KEYSTORE_PASSWORD,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'allow.everyone.if.no.acl.found': 'false',
    ...Object.fromEntries(jaas),
  };
}

/** A certificate that signs itself, so it is its own authority: `ca.pem` beside the keystore. */
function makeCertificate(directory: string): string {
  const keystore = join(directory, 'keystore.p12');
  const store = [
    '-alias',
    'kafka',
    '-keystore',
    keystore,
    '-storetype',
    'PKCS12',
    '-storepass',
    KEYSTORE_PASSWORD,
  ];
  const subject = ['-dname', 'CN=localhost', '-ext', 'SAN=ip:127.0.0.1,dns:localhost', '-validity', '3650'];
  execFileSync('keytool', ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', ...subject, ...store], {
    stdio: 'ignore',
  });
  const file = join(directory, 'ca.pem');
  execFileSync('keytool', ['-exportcert', '-rfc', '-file', file, ...store], { stdio: 'ignore' });
  return keystore;
}
