import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Env } from 'hono';
import type { OpenAPIHono } from '@hono/zod-openapi';

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

/** The description of the API and a page to read it on. Nothing on the page comes from another host. */
export function docsRoutes<E extends Env>(app: OpenAPIHono<E>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Headgate',
      version: '1',
      description:
        'Go-to-market numbers that trace back to the event. Money is in minor units, as digit strings.',
    },
  });
  app.get('/docs', (context) => context.html(PAGE));
  app.get('/docs/rapidoc.js', () => {
    const script = readFileSync(require.resolve('rapidoc/dist/rapidoc-min.js'));
    return new Response(script, {
      headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'public, max-age=86400' },
    });
  });
}
