import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HeadgateError } from '../../core/errors.js';
import { localCertificate } from '../../test/support/certificate.js';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../../test/support/clickhouse.js';
import { freePort } from '../../test/support/free-port.js';
import { SecretText } from '../secrets.js';
import { openClickHouseWarehouse } from './clickhouse-warehouse.js';

const PASSWORD = 'kept-out-of-errors';

const open = (url: string, caFile: string | null = null) =>
  openClickHouseWarehouse({ url: new SecretText(url), caFile, timeoutMs: 60_000 });

/** What somebody is told who opens it so. */
async function refusal(url: string, caFile: string | null = null): Promise<HeadgateError> {
  const error: unknown = await open(url, caFile).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HeadgateError)) throw new Error(`expected an error of ours, not ${String(error)}`);
  expect(JSON.stringify([error.message, error.details])).not.toContain(PASSWORD);
  return error;
}

describe('without a ClickHouse that answers', () => {
  let other: Server;
  let port: number;
  beforeAll(async () => {
    other = createServer((_, response) => response.writeHead(404).end('<html>nothing here</html>'));
    port = await freePort();
    await once(other.listen(port, '127.0.0.1'), 'listening');
  });
  afterAll(() => {
    other.close();
  });

  test('nobody listening is told by the server and the setting, and may be tried again', async () => {
    const error = await refusal(`http://default:${PASSWORD}@127.0.0.1:${await freePort()}/headgate`);
    expect(error).toMatchObject({
      code: 'warehouse_unavailable',
      retryable: true,
      details: { retryAfterSeconds: 5 },
    });
    expect(error.message).toMatch(/nothing answers at http:\/\/127\.0\.0\.1:\d+ .*CLICKHOUSE_URL/);
  });

  test('a host that is not there is told so too', async () => {
    const error = await refusal(`http://default:${PASSWORD}@no-such-host.invalid:8123/headgate`);
    expect(error.message).toContain('nothing answers at http://no-such-host.invalid:8123');
  });

  test('a server that is no ClickHouse is named', async () => {
    const error = await refusal(`http://default:${PASSWORD}@127.0.0.1:${port}/headgate`);
    expect(error).toMatchObject({ code: 'invalid_config', retryable: false });
    expect(error.message).toMatch(/is no ClickHouse over HTTP.*CLICKHOUSE_URL/);
  });

  test.each([
    ['http://h:8123/a-b', 'its path names a database'],
    ['http://h:8123/a/b', 'its path names a database'],
    ['http://h:8123/a?secure=1', 'leave out what follows "?"'],
    [`http://u:%${PASSWORD}@h:8123/a`, '%25'],
  ])('%s is refused before anybody is asked', async (url, words) => {
    const error = await refusal(url);
    expect(error).toMatchObject({ code: 'invalid_config' });
    expect(error.message).toContain(`CLICKHOUSE_URL: `);
    expect(error.message).toContain(words);
  });

  test('a file of an authority that is not there is named', async () => {
    const error = await refusal('https://h:8443', '/no/such/ca.pem');
    expect(error).toMatchObject({ code: 'invalid_config' });
    expect(error.message).toContain('HEADGATE_CLICKHOUSE_CA_FILE: /no/such/ca.pem');
  });
});

/* Password, TLS and versions are the shim's (test/services/clickhouse-shim.ts), in front of the real engine. */
describe.runIf(hasClickHouse())('against the shim: with a password', () => {
  let clickHouse: ClickHouse;
  beforeAll(async () => {
    clickHouse = await startClickHouse({ password: PASSWORD });
  });
  afterAll(() => clickHouse.stop());
  const at = (scheme: string, login: string) => `${scheme}://${login}127.0.0.1:${clickHouse.port}/passwords`;

  test('it opens with it, and with one wrong letter it names the setting', async () => {
    await (await open(clickHouse.url('passwords'))).close();
    for (const login of ['', `default:${PASSWORD}x@`, `somebody:@`]) {
      const error = await refusal(at('http', login));
      expect(error).toMatchObject({ code: 'invalid_config', retryable: false });
      expect(error.message).toMatch(/refuses the user or its password; correct them in CLICKHOUSE_URL/);
    }
  });

  test('https to a server without TLS says to write http', async () => {
    const error = await refusal(at('https', `default:${PASSWORD}@`));
    expect(error).toMatchObject({ code: 'invalid_config' });
    expect(error.message).toMatch(/does not speak TLS; write http:\/\/ in CLICKHOUSE_URL/);
  });

  test('a schema that a newer headgate left is refused, and left alone', async () => {
    const warehouse = await open(clickHouse.url('ahead'));
    await warehouse.close();
    await clickHouse.client.command({
      query: `INSERT INTO ahead.schema_migrations (version, name) VALUES (9999, 'later')`,
    });
    const error = await refusal(clickHouse.url('ahead'));
    expect(error).toMatchObject({ code: 'data_directory_newer', retryable: false });
    expect(error.message).toMatch(
      /database ahead has schema 9999 of a newer headgate .*install that version/,
    );
  });

  test('several processes that open it at once make one schema and one identity', async () => {
    const warehouses = await Promise.all(Array.from({ length: 4 }, () => open(clickHouse.url('together'))));
    expect(new Set(warehouses.map((warehouse) => warehouse.warehouseId())).size).toBe(1);
    const later = await open(clickHouse.url('together'));
    expect(later.warehouseId()).toBe(warehouses[0]?.warehouseId());
    const other = await open(clickHouse.url('apart'));
    expect(other.warehouseId()).not.toBe(later.warehouseId());
    await Promise.all([...warehouses, later, other].map((warehouse) => warehouse.close()));
  });

  test('a step that was broken off is done again from its beginning', async () => {
    await (await open(clickHouse.url('halfway'))).close();
    for (const statement of [
      'TRUNCATE TABLE halfway.schema_migrations',
      'DROP TABLE halfway.ingest_chunks SYNC',
      'DROP VIEW halfway.installation',
    ]) {
      await clickHouse.client.command({ query: statement });
    }
    const warehouse = await open(clickHouse.url('halfway'));
    expect(await warehouse.findChunk('any')).toBeNull();
    await warehouse.close();
  });
});

describe.runIf(hasClickHouse())('against the shim: with TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-tls-'));
  const tls = localCertificate();
  const caFile = join(directory, 'ca.pem');
  let clickHouse: ClickHouse;
  beforeAll(async () => {
    writeFileSync(caFile, tls.certificate);
    clickHouse = await startClickHouse({ tls });
  });
  afterAll(async () => {
    await clickHouse.stop();
    rmSync(directory, { recursive: true });
  });

  test('it opens with the authority that signed the certificate', async () => {
    await (await open(clickHouse.url('secure'), caFile)).close();
  });

  test('without it, or with another, the setting for it is named', async () => {
    const strange = join(directory, 'other.pem');
    writeFileSync(strange, localCertificate().certificate);
    for (const file of [null, strange]) {
      const error = await refusal(clickHouse.url('secure'), file);
      expect(error).toMatchObject({ code: 'invalid_config' });
      expect(error.message).toContain('HEADGATE_CLICKHOUSE_CA_FILE');
    }
  });

  test('http to a server with TLS says to write https', async () => {
    const error = await refusal(`http://127.0.0.1:${clickHouse.port}/secure`);
    expect(error.message).toMatch(/https:\/\/ in CLICKHOUSE_URL/);
  });
});

test.runIf(hasClickHouse())(
  'against the shim: a server that is too old says which version is needed',
  async () => {
    const clickHouse = await startClickHouse({ version: '25.7.9.1' });
    try {
      const error = await refusal(clickHouse.url('old'));
      expect(error).toMatchObject({ code: 'invalid_config' });
      expect(error.message).toMatch(
        /is ClickHouse 25\.7\.9\.1; Headgate needs 25\.8 or later.*CLICKHOUSE_URL/,
      );
    } finally {
      await clickHouse.stop();
    }
  },
);
