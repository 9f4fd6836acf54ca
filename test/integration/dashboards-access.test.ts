import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../api/app.js';
import { DASHBOARD_TABLES } from '../../api/dashboards/pages.js';
import { MICROS_PER_SECOND } from '../../core/time.js';
import type { Role, Scope } from '../../platform/key-scopes.js';
import { NOW, openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { factOfExecution, factOfSubscription } from '../support/hand-made-facts.js';
import { SMALL_RUN } from '../small-run.js';

const HOST = 'http://headgate.test';
const PAGE = '<!doctype html><script src="/dashboards/_app/immutable/a.js"></script>';
const LEADS = 'select lead_id, score from headgate.lead_scores order by lead_id limit 2';
const BILLS = 'select count(*) as bills from headgate.ledger_invoices';
const MONTHS = 'select max(month) as month, count(*) as months from headgate.mrr_months';
const CODE = 'export const numbers = "1111111111222222222233333333334444444444";';

let bed: ApiTestBed;
let app: ReturnType<typeof createApp>;
let site: string;
let runId: string;

beforeAll(async () => {
  bed = await openApiTestBed();
  site = mkdtempSync(join(tmpdir(), 'headgate-site-'));
  write('index.html', PAGE);
  write('growth/index.html', PAGE);
  write('_app/immutable/a.js', CODE);
  write('_app/immutable/a.js.br', brotliCompressSync(CODE));
  write('_app/version.json', '{}');
  write('queries.json', JSON.stringify({ '/': [MONTHS, BILLS], '/leads': [LEADS] }));
  writeFileSync(join(site, '..', 'headgate-beside.json'), '{"secret":true}');
  app = createApp(servicesWith(site));
  runId = await publishHandMadeRun(bed.runtime, {
    asOf: NOW,
    rows: SMALL_RUN,
    facts: {
      billing: [factOfSubscription('org_a', 'pro', '2026-05-20')],
      executions: [factOfExecution('org_a', 'seven', '2026-05-21', '7')],
    },
  });
});
afterAll(async () => {
  await bed.close();
  rmSync(site, { recursive: true });
  rmSync(join(site, '..', 'headgate-beside.json'));
});

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(site, path)), { recursive: true });
  writeFileSync(join(site, path), content);
}

function servicesWith(siteDirectory: string) {
  const { services } = bed.runtime;
  return { ...services, dashboards: { ...services.dashboards, siteDirectory } };
}

type Headers = Readonly<Record<string, string>>;
const get = (path: string, headers: Headers = {}, of = app) =>
  of.request(`${HOST}${path}`, { headers: { host: 'headgate.test', ...headers } });
const post = (path: string, form: Readonly<Record<string, string>>, headers: Headers = { origin: HOST }) =>
  app.request(`${HOST}${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { host: 'headgate.test', ...headers },
  });

const makeKey = (wanted: { role?: Role; scopes?: Scope[] }) =>
  bed.runtime.services.keys.create({ name: 'a page’s reader', ...wanted }, 'test', NOW);

async function signedIn(wanted: {
  role?: Role;
  scopes?: Scope[];
}): Promise<{ cookie: string; keyId: string }> {
  const { key, secret } = await makeKey(wanted);
  const answer = await post('/dashboards/sign-in', { key: secret, to: '' });
  expect(answer.status).toBe(303);
  return { cookie: cookieOf(answer), keyId: key.keyId };
}

const cookieOf = (answer: Response): string => (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
const Session = z.object({
  role: z.string().nullable(),
  pages: z.array(z.object({ path: z.string(), title: z.string() })),
});
const ManifestAnswer = z.object({
  run: z.string(),
  asOf: z.string(),
  tables: z.record(z.string(), z.string()),
  prepared: z.record(z.string(), z.string()),
});
const sessionOf = async (cookie: string) =>
  Session.parse(await (await get('/dashboards/session.json', { cookie })).json());

const manifestOf = async (cookie: string) =>
  ManifestAnswer.parse(await (await get('/dashboards/data/manifest.json', { cookie })).json());

describe('who is not signed in', () => {
  test.each(['/dashboards', '/dashboards/', '/dashboards/growth?currency=EUR'])(
    'is sent from %s to sign in, and then back',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toBe(`/dashboards/sign-in?to=${encodeURIComponent(path)}`);
    },
  );

  test('gets neither tables nor code nor who is who', async () => {
    for (const path of [
      `/dashboards/data/${runId}/mrr_months.parquet`,
      '/dashboards/data/now/ledger_invoices.parquet',
      '/dashboards/_app/immutable/a.js',
      '/dashboards/_app/version.json',
      '/dashboards/session.json',
      '/dashboards/data/manifest.json',
      `/dashboards/data/${runId}/overview.json`,
    ]) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(await answer.text()).not.toContain('1111111111');
    }
  });

  test('signs in with a key: the cookie is signed, of this path, out of reach for scripts and other sites', async () => {
    const { secret } = await makeKey({ role: 'founder' });
    const answer = await post('/dashboards/sign-in', {
      key: ` ${secret} `,
      to: '/dashboards/growth?currency=EUR',
    });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/dashboards/growth?currency=EUR']);
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^headgate_session=key_[0-9a-z]+\.\d+\.[^;]{40,}; Max-Age=43200; Path=\/dashboards; HttpOnly; SameSite=Lax$/,
    );
    expect(cookie).not.toContain(secret);
    expect((await get('/dashboards', { cookie: cookieOf(answer) })).status).toBe(200);
  });

  test('and over TLS no plain connection carries it', async () => {
    const { secret } = await makeKey({ role: 'founder' });
    const answer = await post(
      '/dashboards/sign-in',
      { key: secret },
      { origin: HOST, 'x-forwarded-proto': 'https' },
    );
    expect(answer.headers.get('set-cookie')).toContain('; Secure');
  });

  test.each([
    '//evil.example/x',
    'https://evil.example',
    '/v1/keys',
    '/dashboards/../v1/keys',
    '/dashboards\\@evil.example',
    '/dashboards/sign-in',
    'javascript:alert(1)',
  ])('is led nowhere else by %s', async (to) => {
    const { secret } = await makeKey({ role: 'founder' });
    expect((await post('/dashboards/sign-in', { key: secret, to })).headers.get('location')).toBe(
      '/dashboards',
    );
    const form = await (await get(`/dashboards/sign-in?to=${encodeURIComponent(to)}`)).text();
    expect(form).toContain('name="to" value="/dashboards"');
  });

  test('a form of another site signs nobody in', async () => {
    const { secret } = await makeKey({ role: 'founder' });
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, {}]) {
      const answer = await post('/dashboards/sign-in', { key: secret }, headers);
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null]);
    }
  });

  test('is told what is wrong with a key, and the key is not shown again', async () => {
    const revoked = await makeKey({ role: 'founder' });
    await bed.runtime.services.keys.revoke(revoked.key.keyId, 'test', NOW);
    const ingest = await makeKey({ scopes: ['ingest'] });
    for (const [key, status, says] of [
      ['hg_unknown', 401, 'This key is not known.'],
      ['"><script>', 401, 'This key is not known.'],
      ['', 401, 'This key is not known.'],
      [revoked.secret, 401, 'This key was revoked.'],
      [ingest.secret, 403, 'This key opens no page; it may ingest.'],
    ] as const) {
      const answer = await post('/dashboards/sign-in', { key });
      const text = await answer.text();
      expect([answer.status, text.includes(says), answer.headers.get('set-cookie')]).toEqual([
        status,
        true,
        null,
      ]);
      if (key !== '') expect(text).not.toContain(key);
    }
  });
});

describe('a session', () => {
  test.each([
    [
      'forged',
      (cookie: string) => cookie.replace(/\.(\d+)\./, (_, ends: string) => `.${Number(ends) + 86_400}.`),
    ],
    [
      'of somebody else',
      (cookie: string) => cookie.replace(/key_[0-9a-z]+/, 'key_01jz0000000000000000000000'),
    ],
    ['cut', (cookie: string) => cookie.slice(0, -8)],
    ['without a signature', (cookie: string) => cookie.split('.').slice(0, 2).join('.')],
    ['of words', () => 'headgate_session=key_x.never.x'],
  ])('that is %s opens nothing', async (_, bent) => {
    const { cookie } = await signedIn({ role: 'founder' });
    expect((await get('/dashboards/session.json', { cookie: bent(cookie) })).status).toBe(401);
  });

  test('ends after twelve hours', async () => {
    const { cookie } = await signedIn({ role: 'founder' });
    try {
      bed.setClock(NOW + 12n * 3600n * MICROS_PER_SECOND - 1n);
      expect((await get('/dashboards', { cookie })).status).toBe(200);
      bed.setClock(NOW + 12n * 3600n * MICROS_PER_SECOND);
      expect((await get('/dashboards', { cookie })).status).toBe(303);
    } finally {
      bed.setClock(NOW);
    }
  });

  test('ends with its key, at once', async () => {
    const { cookie, keyId } = await signedIn({ role: 'founder' });
    expect((await get('/dashboards', { cookie })).status).toBe(200);
    await bed.runtime.services.keys.revoke(keyId, 'test', NOW);
    expect((await get('/dashboards', { cookie })).status).toBe(303);
    expect((await get(`/dashboards/data/${runId}/mrr_months.parquet`, { cookie })).status).toBe(401);
  });

  test('ends by signing out', async () => {
    const { cookie } = await signedIn({ role: 'founder' });
    const answer = await post('/dashboards/sign-out', {}, { origin: HOST, cookie });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/dashboards/sign-in']);
    expect(answer.headers.get('set-cookie')).toMatch(/^headgate_session=; Max-Age=0; Path=\/dashboards/);
  });
});

test('pages that a key may open are those whose tables it may read', async () => {
  const { cookie } = await signedIn({ role: 'partner_manager' });
  const { role, pages } = await sessionOf(cookie);
  expect(role).toBe('partner_manager');
  expect(pages).toContainEqual({ path: '', title: 'Overview' });
});

describe('tables', () => {
  test.each(['founder', 'finance', 'sales', 'partner_manager', 'operator', 'admin'] as const)(
    '%s reads those of the scopes, and no others',
    async (role) => {
      const { cookie } = await signedIn({ role });
      const { tables } = await manifestOf(cookie);
      for (const [name, { needs, of }] of Object.entries(DASHBOARD_TABLES)) {
        const path = `/dashboards/data/${of === 'run' ? runId : 'now'}/${name}.parquet`;
        const { status } = await get(path, { cookie });
        expect([name, needs, status]).toEqual([name, needs, name in tables ? 200 : 403]);
      }
      const names = Object.keys(tables);
      expect(names.includes('unit_economics_orgs')).toBe(!['sales', 'partner_manager'].includes(role));
      expect(names.includes('lead_scores')).toBe(['founder', 'sales', 'admin'].includes(role));
      expect(names.includes('commission_lines')).toBe(!['sales', 'operator'].includes(role));
    },
  );

  test('are the run’s marts as Parquet, whole, and can be kept for ever', async () => {
    const { cookie } = await signedIn({ role: 'founder' });
    const path = `/dashboards/data/${runId}/lead_scores.parquet`;
    const answer = await get(path, { cookie });
    expect(answer.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    const rows = await parquetRows(
      new Uint8Array(await answer.arrayBuffer()),
      'select lead_id, score from file order by lead_id limit 2',
    );
    expect(rows).toEqual([
      ['lead_00', 0n],
      ['lead_01', 1n],
    ]);
    const etag = answer.headers.get('etag') ?? '';
    const again = await get(path, { cookie, 'if-none-match': etag });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  test('are listed with their run, and with what is in each', async () => {
    const { cookie } = await signedIn({ role: 'sales' });
    const manifest = await manifestOf(cookie);
    expect(manifest).toMatchObject({ run: runId, asOf: '2026-06-01T12:00:00Z' });
    expect(manifest.tables['lead_scores']).toBe(`${runId}/lead_scores.parquet`);
    const shapeOf = async (name: string): Promise<unknown> => {
      const answer = await get(`/dashboards/data/${manifest.tables[name] ?? ''}`, { cookie });
      return JSON.parse(answer.headers.get('headgate-table') ?? '');
    };
    expect(await shapeOf('lead_scores')).toMatchObject({ rows: SMALL_RUN.lead_scores?.length });
    expect(await shapeOf('tie_outs')).toMatchObject({
      rows: 0,
      columns: expect.arrayContaining([['holds', 'BOOLEAN']]) as unknown,
    });
  });

  test('answer what a page asks first, where the run alone is asked', async () => {
    const { cookie } = await signedIn({ role: 'founder' });
    const { prepared } = await manifestOf(cookie);
    expect(prepared).toEqual({ '/': `${runId}/overview.json` });
    const answer = await get(`/dashboards/data/${prepared['/'] ?? ''}`, { cookie });
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(await answer.json()).toEqual({
      [MONTHS]: {
        columns: [
          ['month', 'DATE'],
          ['months', 'BIGINT'],
        ],
        rows: [['2026-05-01T00:00:00.000Z', SMALL_RUN.mrr_months?.length]],
      },
    });
    expect((await get(`/dashboards/data/${runId}/leads.json`, { cookie })).status).toBe(404);
  });

  test('of a ledger are there, with all their columns, though no Stripe is', async () => {
    const { cookie } = await signedIn({ role: 'finance' });
    const answer = await get('/dashboards/data/now/ledger_invoices.parquet', { cookie });
    expect(answer.headers.get('cache-control')).toBe('private, no-cache');
    const file = new Uint8Array(await answer.arrayBuffer());
    expect(await parquetRows(file, 'select count(*), count(bill_id), count(unpaid_minor) from file')).toEqual(
      [[0n, 0n, 0n]],
    );
  });

  test.each([
    'mrr_months',
    'mrr_months.csv',
    'passwords.parquet',
    'constructor.parquet',
    '..%2F..%2Fkeys.json',
    'mrr_months.parquet.parquet2',
  ])('there is none called %s', async (name) => {
    const { cookie } = await signedIn({ role: 'admin' });
    expect((await get(`/dashboards/data/${runId}/${name}`, { cookie })).status).toBe(404);
  });

  test('of a run that there is not, nor a mart as of now', async () => {
    const { cookie } = await signedIn({ role: 'admin' });
    expect(
      (await get('/dashboards/data/run_00000000000000000000000000/mrr_months.parquet', { cookie })).status,
    ).toBe(404);
    expect((await get('/dashboards/data/now/mrr_months.parquet', { cookie })).status).toBe(404);
    expect((await get(`/dashboards/data/${runId}/ledger_breaks.parquet`, { cookie })).status).toBe(404);
  });
});

describe('pages', () => {
  test('allow their own scripts and no others, and nothing of another host', async () => {
    const { cookie } = await signedIn({ role: 'founder' });
    const policy = (await get('/dashboards/growth', { cookie })).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).not.toMatch(/script-src[^;]*unsafe-inline|'unsafe-eval'|https?:|\*/);
  });

  test('send code packed as the browser takes it, to be kept where its name says what is in it', async () => {
    const { cookie } = await signedIn({ role: 'founder' });
    const packed = await get('/dashboards/_app/immutable/a.js', { cookie, 'accept-encoding': 'gzip, br' });
    expect([packed.headers.get('content-encoding'), packed.headers.get('vary')]).toEqual([
      'br',
      'accept-encoding',
    ]);
    expect(packed.headers.get('cache-control')).toContain('immutable');
    expect(brotliDecompressSync(new Uint8Array(await packed.arrayBuffer())).toString()).toBe(CODE);
    const plain = await get('/dashboards/_app/immutable/a.js', { cookie, 'accept-encoding': 'br;q=0' });
    expect([plain.headers.get('content-encoding'), await plain.text()]).toEqual([null, CODE]);
    expect((await get('/dashboards/_app/version.json', { cookie })).headers.get('cache-control')).toBe(
      'private, no-cache',
    );
  });

  test.each([
    '..%2Fheadgate-beside.json',
    '../headgate-beside.json',
    '%2e%2e/headgate-beside.json',
    '_app/immutable/a.js.br',
  ])('nothing beside them is sent: %s', async (path) => {
    const { cookie } = await signedIn({ role: 'admin' });
    const answer = await get(`/dashboards/${path}`, { cookie });
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain('secret');
  });

  test('that there are not say so; before they are built, all say how to build them', async () => {
    const { cookie } = await signedIn({ role: 'founder' });
    const missing = await get('/dashboards/nothing', { cookie });
    expect([missing.status, await missing.text()]).toEqual([
      404,
      expect.stringContaining('There is no such page'),
    ]);
    const unbuilt = createApp(servicesWith(join(site, 'not-there')));
    const answer = await get('/dashboards', { cookie }, unbuilt);
    expect([answer.status, await answer.text()]).toEqual([
      503,
      expect.stringContaining('headgate dashboards build'),
    ]);
  });

  test('before the first run say how to make one, and show no numbers', async () => {
    const empty = await openApiTestBed();
    try {
      const { services } = empty.runtime;
      const fresh = createApp({ ...services, dashboards: { ...services.dashboards, siteDirectory: site } });
      const { secret } = await services.keys.create({ name: 'test', role: 'founder' }, 'test', NOW);
      const signing = await fresh.request(`${HOST}/dashboards/sign-in`, {
        method: 'POST',
        body: new URLSearchParams({ key: secret }),
        headers: { host: 'headgate.test', origin: HOST },
      });
      const cookie = cookieOf(signing);
      const answer = await get('/dashboards', { cookie }, fresh);
      expect([answer.status, await answer.text()]).toEqual([
        503,
        expect.stringContaining('headgate transform'),
      ]);
      const manifest = await get('/dashboards/data/manifest.json', { cookie }, fresh);
      expect([manifest.status, await manifest.text()]).toEqual([409, expect.stringContaining('no_run')]);
    } finally {
      await empty.close();
    }
  });
});

async function parquetRows(bytes: Uint8Array, sql: string): Promise<unknown[][]> {
  const path = join(site, 'downloaded.parquet');
  writeFileSync(path, bytes);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const result = await connection.runAndReadAll(`with file as (from read_parquet('${path}')) ${sql}`);
    return result.getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
    rmSync(path);
  }
}
