import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadConfig } from './config.js';
import { Environment } from './environment.js';
import { packagePath } from './package-path.js';

/** NAME=value lines, those commented out too: `# HEADGATE_PYTHON=`. */
function exampleVariables(): Map<string, string> {
  const text = readFileSync(packagePath('.env.example'), 'utf8');
  return new Map(
    [...text.matchAll(/^(?:# )?([A-Z][A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

describe('.env.example', () => {
  test('names every variable that is read, and no other', () => {
    expect([...exampleVariables().keys()].sort()).toEqual(Object.keys(Environment.shape).sort());
  });

  test('shows the defaults', () => {
    const { secrets: fromExample, ...example } = loadConfig(Object.fromEntries(exampleVariables()));
    const { secrets: fromNothing, ...nothing } = loadConfig({});
    expect(example).toEqual(nothing);
    expect(fromExample.reveal()).toEqual(fromNothing.reveal());
  });
});

describe('the environment', () => {
  const KEY = Buffer.alloc(32, 7).toString('base64');

  test('is parsed once into numbers with units', () => {
    const config = loadConfig({
      HEADGATE_PORT: '0',
      HEADGATE_SQL_TIMEOUT_SECONDS: '5',
      HEADGATE_DATA: '/var/hg',
    });
    expect(config).toMatchObject({ port: 0, dataDirectory: '/var/hg', userSql: { timeoutMs: 5000 } });
  });

  test.each([
    ['0 6 * * *', '24', true],
    ['0 6 3 * *', '24', true],
    // On 1 October the grace of September is not over: it would be billed on 1 November.
    ['0 6 1 * *', '24', false],
    ['0 6 1 * *', '744', false],
  ])('billing by %s after a grace of %s hours: %s', (pattern, grace, isFine) => {
    const load = () =>
      loadConfig({
        STRIPE_SECRET_KEY: 'sk_test_1',
        HEADGATE_BILLING_SCHEDULE: pattern,
        HEADGATE_BILLING_GRACE_HOURS: grace,
      });
    if (isFine) expect(load().billing.schedule).toBe(pattern);
    else expect(load).toThrow(/a cycle late/);
  });

  test('billing by a schedule needs a key', () => {
    expect(() => loadConfig({ HEADGATE_BILLING_SCHEDULE: '0 6 * * *' })).toThrow(/STRIPE_SECRET_KEY/);
  });

  test('amounts that need approval are one for each currency, exact', () => {
    const { billing } = loadConfig({ HEADGATE_BILLING_APPROVE_ABOVE: '5000 USD, 4500.50 EUR,700 JPY' });
    expect([...billing.approval.aboveMinor]).toEqual([
      ['USD', 500_000n],
      ['EUR', 450_050n],
      ['JPY', 700n],
    ]);
    for (const wrong of ['5000', '1 USD, 2 USD', '0.001 USD', '1 XXX1', 'USD 5']) {
      expect(() => loadConfig({ HEADGATE_BILLING_APPROVE_ABOVE: wrong })).toThrow(
        /HEADGATE_BILLING_APPROVE_ABOVE/,
      );
    }
  });

  test('set to nothing counts as not set', () => {
    expect(loadConfig({ HEADGATE_PORT: '', DATABASE_URL: '' })).toMatchObject({ port: 8471 });
  });

  test.each([
    ['HEADGATE_PORT', '80a'],
    ['HEADGATE_PORT', '65536'],
    ['HEADGATE_PORT', '-1'],
    ['HEADGATE_MAX_BODY_BYTES', '10MB'],
    ['HEADGATE_LOG_LEVEL', 'loud'],
    ['HEADGATE_VAULT_KEY', 'c2hvcnQ='],
    ['HEADGATE_TOKEN_KEY', 'not base64!'],
  ])('%s=%s is refused by name', (name, value) => {
    expect(() => loadConfig({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringContaining(`${name}:`) as string,
      }),
    );
  });

  test('each engine is chosen by its URL alone, and none is by default', () => {
    expect(loadConfig({})).toMatchObject({ database: null, clickHouse: null, kafka: null });
    const kafka = loadConfig({ KAFKA_BROKERS: 'a:9092,b:9092' });
    expect(kafka).toMatchObject({
      database: null,
      clickHouse: null,
      kafka: { brokers: ['a:9092', 'b:9092'] },
    });
    const url = 'https://ana:hunter2@clickhouse:8443/headgate';
    expect(loadConfig({ CLICKHOUSE_URL: url }).clickHouse?.url.reveal()).toBe(url);
  });

  test.each([
    ['DATABASE_URL', 'mysql://ana:hunter2@db/x'],
    ['CLICKHOUSE_URL', 'ana:hunter2@clickhouse'],
    ['KAFKA_BROKERS', 'kafka://ana:hunter2@kafka'],
  ])('a wrong %s is refused by name, and its password is not shown', (name, value) => {
    expect(() => loadConfig({ [name]: value })).toThrow(new RegExp(`${name}: write`));
    expect(() => loadConfig({ [name]: value })).not.toThrow(/hunter2/);
  });

  test('a password shows in no print of the config', () => {
    const config = loadConfig({
      DATABASE_URL: 'postgres://ana:hunter2@db/x',
      KAFKA_BROKERS: 'a:9092',
      HEADGATE_KAFKA_SASL: 'plain',
      HEADGATE_KAFKA_USERNAME: 'ana',
      HEADGATE_KAFKA_PASSWORD: 'hunter2',
    });
    for (const shown of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })]) {
      expect(shown).not.toContain('hunter2');
    }
  });

  test('a SASL mechanism without its user names what to set', () => {
    expect(() => loadConfig({ KAFKA_BROKERS: 'a:9092', HEADGATE_KAFKA_SASL: 'plain' })).toThrow(
      /HEADGATE_KAFKA_USERNAME and HEADGATE_KAFKA_PASSWORD/,
    );
  });

  test('every wrong variable is named at once', () => {
    expect(() => loadConfig({ HEADGATE_PORT: 'x', HEADGATE_LOG_LEVEL: 'x' })).toThrow(/PORT.*LOG_LEVEL/);
  });

  test('secrets show in no print of the config, nor in an error about them', () => {
    const config = loadConfig({ HEADGATE_VAULT_KEY: KEY });
    for (const shown of [
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
      String(config.secrets),
    ]) {
      expect(shown).not.toContain(KEY.slice(0, 10));
      expect(shown).not.toContain('7, 7, 7');
    }
    expect(config.secrets.reveal().vaultKey).toEqual(new Uint8Array(32).fill(7));
    expect(() => loadConfig({ HEADGATE_VAULT_KEY: 'aHVudGVyMg==' })).not.toThrow(/aHVudGVyMg/);
  });

  test('cannot be changed afterwards', () => {
    const config = loadConfig({});
    expect(() => Object.assign(config.limits, { bodyBytes: 1 })).toThrow(TypeError);
  });
});
