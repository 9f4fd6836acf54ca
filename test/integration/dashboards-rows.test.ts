import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Role } from '../../platform/key-scopes.js';
import { NOW, openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { factOfExecution } from '../support/hand-made-facts.js';

/*
 * What stands behind a number of a page, without a browser: rows that add up to it, as a page without scripts and as CSV.
 */
const HOST = 'http://headgate.test';
const WEEK = 'week=2026-05-18&package_id=other';
const EVIL = '<script>alert(1)</script>';
const FORMULA = '=HYPERLINK("http://evil.example","a")';

let bed: ApiTestBed;
let runId: string;
let founder: string;

beforeAll(async () => {
  bed = await openApiTestBed();
  const [seventh, evil, formula] = [
    factOfExecution('org_a', 'seven', '2026-05-21', '7'),
    factOfExecution('org_b', EVIL, '2026-05-22', '1'),
    factOfExecution('org_c', FORMULA, '2026-05-23', '1'),
  ];
  runId = await publishHandMadeRun(bed.runtime, {
    asOf: NOW,
    rows: { int_orgs: ['org_a', 'org_b', 'org_c'].map((org_id) => ({ org_id, is_excluded: false })) },
    facts: { executions: [seventh, evil, formula] },
  });
  founder = await cookieOf('founder');
});
afterAll(() => bed.close());

async function cookieOf(role: Role): Promise<string> {
  const { secret } = await bed.runtime.services.keys.create({ name: `a ${role}`, role }, 'test', NOW);
  const answer = await bed.call({
    ...{ method: 'POST', path: '/dashboards/sign-in', key: null, type: 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ key: secret, to: '' }).toString(),
    headers: { origin: HOST, host: new URL(HOST).host },
  });
  expect(answer.status).toBe(303);
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

const rows = (address: string, cookie = founder) =>
  bed.call({ path: `/dashboards/rows/${address}`, key: null, headers: { cookie } });

const Sides = z.object({
  sides: z.record(z.string(), z.object({ sum: z.string(), rows: z.number(), digest: z.string() })),
});

describe('the rows behind a number', () => {
  test('are those that the API gives, with what they add up to', async () => {
    const { sides } = (await bed.call({ path: `/v1/metrics/package_executions/drill?${WEEK}` })).as(Sides);
    expect(sides['value']).toMatchObject({ sum: '3', rows: 3 });
    const { status, text, headers } = await rows(`package_executions?${WEEK}&run=${runId}`);
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).toContain('<dd class="sum">3</dd>');
    expect(text).toContain(`from 3 rows, digest <code>${sides['value']?.digest ?? ''}</code>`);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(`as of 2026-06-01T12:00:00Z · run ${runId}`);
    expect(text).toContain('<b>seven</b>');
  });

  test('are text, whatever they are called', async () => {
    const { text } = await rows(`package_executions?${WEEK}`);
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  test('come as CSV that a spreadsheet adds up and does not run', async () => {
    const page = await rows(`package_executions?${WEEK}&run=${runId}`);
    const [, address = ''] =
      /href="\/dashboards\/rows\/(package_executions\.csv\?[^"]*)"/.exec(page.text) ?? [];
    const { status, headers, text } = await rows(address.replaceAll('&amp;', '&'));
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toBe('attachment; filename="package_executions.csv"');
    const [head, ...lines] = text.trimEnd().split('\r\n');
    expect(head).toBe('side,org_id,stream,event_source,event_id,at,amount,detail');
    expect(lines).toHaveLength(3);
    expect(lines.map((line) => line.split(',').at(-2))).toEqual(['1', '1', '1']);
    expect(text).toContain(`"'${FORMULA.replaceAll('"', '""')}"`);
  });

  test('of a place where nothing is say so', async () => {
    const { status, text } = await rows('package_executions?week=2026-05-18&package_id=none_such');
    expect(status).toBe(200);
    expect(text).toContain('There is nothing behind it');
  });

  test.each([
    ['a metric that there is not', `nothing?${WEEK}`, 'nothing'],
    ['a place that is cut off', 'package_executions?package_id=other', 'needs week'],
    [
      'a day on which no week begins',
      'package_executions?week=2026-05-19&package_id=other',
      'write 2026-05-18',
    ],
    ['a parameter that it does not take', `package_executions?${WEEK}&colour=red`, 'does not take colour'],
    ['a run that is gone', `package_executions?${WEEK}&run=run_gone`, 'run_gone'],
    ['a name that is none', `${encodeURIComponent('../x')}?${WEEK}`, 'can’t be shown'],
  ])('of %s: a page that says so', async (_what, address, said) => {
    const { status, text } = await rows(address);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(text).toContain('These rows can’t be shown');
    expect(text).toContain(said);
  });

  test('are for whoever may have the table that the number stands in', async () => {
    const partnerManager = await cookieOf('partner_manager');
    expect((await rows(`package_executions?${WEEK}`, partnerManager)).status).toBe(200);
    const margin = 'org_margin?month=2026-05-01&currency=USD&org_id=org_a';
    for (const address of [margin, margin.replace('?', '.csv?')]) {
      const { status, text } = await rows(address, partnerManager);
      expect([address, status]).toEqual([address, 403]);
      expect(text).toContain('needs the scope billing:read');
    }
  });

  test('are nobody’s who is not signed in', async () => {
    const { status, headers, text } = await bed.call({
      path: `/dashboards/rows/package_executions?${WEEK}`,
      key: null,
    });
    expect([status, text]).toEqual([303, '']);
    expect(headers.get('location')).toBe(
      `/dashboards/sign-in?to=${encodeURIComponent(`/dashboards/rows/package_executions?${WEEK}`)}`,
    );
  });
});
