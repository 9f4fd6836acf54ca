import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROLES } from '../cli/roles.js';
import { Environment } from '../platform/environment.js';
import { packagePath } from '../platform/package-path.js';

// There may be no Docker where this runs: what can be told from the files is told here, and linters read them in .ci/run.

const Service = z.object({
  image: z.string(),
  user: z.string().optional(),
  command: z.array(z.string()).optional(),
  restart: z.string(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])),
  volumes: z.array(z.string()),
  ports: z.array(z.string()).optional(),
  mem_limit: z.string(),
  healthcheck: z.union([z.object({ test: z.array(z.string()) }), z.object({ disable: z.literal(true) })]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
});
const Compose = z.object({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.null()),
});

const read = (file: string): string => readFileSync(packagePath(file), 'utf8');
const composeText = read('docker-compose.yml');
const { services, volumes } = Compose.parse(parse(composeText, { merge: true }));
const each = Object.entries(services);
const ours = each.filter(([, { image }]) => image.startsWith('headgate:'));

/** What is no service that others ask: it ends. */
const ENDS = 'migrate';

test('the whole set is there: the three engines, a migration, and each role that a process can have', () => {
  expect(Object.keys(services).sort()).toEqual(
    ['kafka', 'clickhouse', 'postgres', ENDS, ...ROLES.filter((role) => role !== 'all')].sort(),
  );
  const commands = ours.map(([name, { command }]) => [name, command?.join(' ')]);
  expect(commands).toEqual([
    ['migrate', 'migrate'],
    ['api', 'serve --role api'],
    ['consumer', 'serve --role consumer'],
    ['scheduler', 'serve --role scheduler'],
  ]);
});

test.each(each)('%s is bounded, watched, started again, not root, and of one version', (name, service) => {
  expect(service.mem_limit).toMatch(/^\d+[mg]$/);
  expect('test' in service.healthcheck).toBe(name !== ENDS);
  expect(service.restart).toBe(name === ENDS ? 'no' : 'unless-stopped');
  expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  expect(service.image).toMatch(/:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
});

test('what must outlive a container is in a volume of its own, and nobody shares one', () => {
  const used = each.flatMap(([, service]) => service.volumes.map((volume) => volume.split(':')[0]));
  expect([...used].sort()).toEqual(Object.keys(volumes).sort());
});

test('nothing but the API is reached from outside, and that from this machine alone', () => {
  const published = each.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));
  expect(published).toEqual([['api', '127.0.0.1:8471:8471']]);
});

test('every setting that headgate is given is one it reads, and every process is given the same secrets', () => {
  const known = Object.keys(Environment.shape);
  for (const [, { environment }] of ours) {
    expect(Object.keys(environment).filter((setting) => !known.includes(setting))).toEqual([]);
    for (const setting of [
      'DATABASE_URL',
      'CLICKHOUSE_URL',
      'KAFKA_BROKERS',
      'HEADGATE_TOKEN_KEY',
      'HEADGATE_VAULT_KEY',
    ]) {
      expect(environment[setting]).toBe(services['api']?.environment[setting]);
    }
  }
});

test('no secret is written down: each comes from .env, and is named in its example', () => {
  const asked = [...composeText.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name ?? '');
  const example = read('compose.env.example');
  const named = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)];
  expect([...new Set(asked)].sort()).toEqual(named.map(([, name]) => name).sort());
  expect(named.map(([, , value]) => value)).toEqual(named.map(() => ''));
});

test('a process of ours waits until the stores are migrated, and the migration until they answer', () => {
  for (const [name, { depends_on: waits = {} }] of ours) {
    const conditions = Object.entries(waits).map(([service, { condition }]) => `${service} ${condition}`);
    expect(conditions).toEqual(
      name === ENDS
        ? ['kafka service_healthy', 'clickhouse service_healthy', 'postgres service_healthy']
        : [`${ENDS} service_completed_successfully`],
    );
  }
});

const dockerfile = read('Dockerfile');

test('the image ends as somebody who is not root, with what tells whether it is well, and of pinned bases', () => {
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base ?? '');
  expect(bases.length).toBeGreaterThan(1);
  for (const base of bases) expect(base).toMatch(/^node:\d+\.\d+\.\d+-\w+-slim$/);
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  expect(last).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  expect(last).toMatch(/^HEALTHCHECK /m);
  expect(last).toMatch(/^ENTRYPOINT \["headgate"\]$/m);
});

test('the image is given the version that the package has', () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(read('package.json')));
  expect(new Set(ours.map(([, { image }]) => image))).toEqual(new Set([`headgate:${version}`]));
});

test('settings of the image are settings that headgate reads', () => {
  const set = [...dockerfile.matchAll(/\b(HEADGATE_[A-Z_]+)=/g)].map(([, name]) => name ?? '');
  expect(set.length).toBeGreaterThan(0);
  expect(set.filter((name) => !(name in Environment.shape))).toEqual([]);
});

test('all that the package ships, and all that it is built from, gets into the build', () => {
  const allowed = [...read('.dockerignore').matchAll(/^!([\w.-]+)$/gm)].map(([, name]) => name ?? '');
  const { files } = z.object({ files: z.array(z.string()) }).parse(JSON.parse(read('package.json')));
  const folders = files.map((file) => file.split('/')[0] ?? '').filter((folder) => folder !== 'dist');
  const sources = z
    .object({ include: z.array(z.string()) })
    .parse(JSON.parse(read('tsconfig.build.json'))).include;
  expect([...new Set([...folders, ...sources])].filter((name) => !allowed.includes(name))).toEqual([]);
});
