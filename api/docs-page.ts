import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { ERROR_CODES, type ErrorCode } from '../core/errors.js';
import { answerHeaders, PAGE_POLICY } from './answer-headers.js';
import { apiJson } from './json-answer.js';
import { operations } from './operations.js';

const require = createRequire(import.meta.url);

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headgate API</title>
<script type="module" src="/docs/rapidoc.js"></script>
</head>
<body>
<rapi-doc spec-url="/openapi.json" render-style="read" show-header="false" allow-server-selection="false"
  load-fonts="false" regular-font="system-ui, sans-serif" mono-font="ui-monospace, monospace" theme="light"></rapi-doc>
</body>
</html>`;

const DESCRIPTION = {
  openapi: '3.1.0',
  info: {
    title: 'Headgate',
    version: '1',
    description:
      'Go-to-market numbers that trace back to the event. Money is in minor units, as digit strings; ratios are parts per million ' +
      'with both sides beside them; instants are RFC 3339 in UTC. Lists are paged by `limit` and `cursor`: give `next_cursor` back ' +
      'as it came. Writes take an `Idempotency-Key`. Whatever goes wrong is a problem (RFC 9457) with a stable `code`.',
  },
} as const;

/** What a problem's `type` leads to: where the code is answered. What to do about it is in each problem's own `detail`. */
function problemPage(code: ErrorCode): string {
  const named = operations.filter(({ problems }) => problems.includes(code));
  const where = named.map(({ method, path }) => `  ${method.toUpperCase()} ${path}`).join('\n');
  return [
    `${code}: ${code.replaceAll('_', ' ')}`,
    '',
    named.length === 0 ? 'Any operation may answer with this code.' : `Answered by\n${where}`,
    '',
    '`detail` says what is wrong, where, and what to do; `retryable` whether the same request can succeed later.',
    '',
  ].join('\n');
}

/** The description of the API and a page to read it on. Nothing on the page comes from another host. */
export function docsRoutes(app: OpenAPIHono): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  let document: string | null = null;
  app.get('/openapi.json', () => {
    document ??= apiJson(app.getOpenAPI31Document(DESCRIPTION));
    return new Response(document, {
      headers: answerHeaders(randomUUID(), 'application/json; charset=utf-8'),
    });
  });
  app.get('/docs', () => {
    const headers = answerHeaders(randomUUID(), 'text/html; charset=utf-8', {
      'content-security-policy': PAGE_POLICY,
    });
    return new Response(PAGE, { headers });
  });
  app.get('/docs/problems/:code', (context) => {
    const code = ERROR_CODES.find((one) => one === context.req.param('code'));
    if (code === undefined) return context.notFound();
    return new Response(problemPage(code), {
      headers: answerHeaders(randomUUID(), 'text/plain; charset=utf-8'),
    });
  });
  app.get('/docs/rapidoc.js', () => {
    const script = readFileSync(require.resolve('rapidoc/dist/rapidoc-min.js'));
    const headers = answerHeaders(randomUUID(), 'text/javascript; charset=utf-8', {
      'cache-control': 'public, max-age=86400',
    });
    return new Response(new Uint8Array(script), { headers });
  });
}
