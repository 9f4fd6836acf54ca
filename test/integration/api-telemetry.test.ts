import { afterAll, beforeAll, expect, test } from 'vitest';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';

let bed: ApiTestBed;
beforeAll(async () => {
  bed = await openApiTestBed();
});
afterAll(() => bed.close());

const event = (data: object) => ({
  specversion: '1.0',
  id: 'e-1',
  source: 'test',
  type: 'session.active',
  subject: 'org_1',
  time: '2026-05-01T10:00:00Z',
  data,
});

/** Samples of one metric: labels, as Prometheus writes them, and the value. */
function samplesOf(text: string, name: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length));
}

test('what was accepted and refused, and each request by its route, is there to be scraped', async () => {
  await bed.call({ path: '/v1/events', json: [event({ userId: 'u_1' }), event({ userId: 7 })] });
  await bed.call({ path: '/v1/orgs/org_nobody' });
  await bed.call({ path: '/made-up-by-a-caller' });
  const scraped = await bed.call({ path: '/metrics', key: await bed.keyWith('telemetry') });
  expect(scraped.status).toBe(200);
  expect(scraped.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(samplesOf(scraped.text, 'headgate_events_total')).toEqual([
    '{way="http",outcome="accepted"} 1',
    '{way="http",outcome="quarantined"} 1',
  ]);
  expect(samplesOf(scraped.text, 'headgate_quarantine_open')).toEqual([' 1']);
  const routes = samplesOf(scraped.text, 'http_server_request_duration_seconds_count');
  expect(routes).toEqual([
    '{http_request_method="POST",http_route="/v1/events",http_response_status_code="200"} 1',
    expect.stringMatching(/http_route="\/v1\/orgs\/\{orgId\}".* 1$/),
    '{http_request_method="GET",http_route="none",http_response_status_code="404"} 1',
  ]);
  expect(scraped.text).not.toContain('made-up');
});

test('without a run there is no age of one, and another scope reads nothing', async () => {
  const { text } = await bed.call({ path: '/metrics' });
  expect(samplesOf(text, 'headgate_run_age_seconds')).toEqual([]);
  expect((await bed.call({ path: '/metrics', key: await bed.keyWith('metrics:read') })).status).toBe(403);
  expect((await bed.call({ path: '/metrics', key: null })).status).toBe(401);
});
