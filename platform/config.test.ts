import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Environment, loadConfig } from './config.js';
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

  test.each(['DATABASE_URL', 'CLICKHOUSE_URL', 'KAFKA_BROKERS'])(
    '%s is known, and refused in this version',
    (name) => {
      expect(() => loadConfig({ [name]: 'postgres://ana:hunter2@db/x' })).toThrow(/not in this version/);
      expect(() => loadConfig({ [name]: 'postgres://ana:hunter2@db/x' })).not.toThrow(/hunter2/);
    },
  );

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
