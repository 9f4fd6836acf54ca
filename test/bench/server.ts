import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { fdatasync, openSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { createApp } from '../../api/app.js';
import { openCompany } from '../support/company.js';

/*
 * The servers that a bench loads, each in a process of its own: `headgate DIRECTORY`, and the floors: `parse` (a bare Hono endpoint
 * that only parses the JSON), `append FILE` (one that appends the body to a file and fdatasyncs), `answer` (one that answers a
 * constant). Prints `PORT KEY`.
 */
const [kind, path = ''] = process.argv.slice(2);

function listen(fetch: (request: Request) => Response | Promise<Response>, key: string): void {
  serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
    console.log(`${port} ${key}`);
  });
}

if (kind === 'headgate') {
  const { runtime } = await openCompany(path);
  const app = createApp(runtime.services);
  listen((request) => app.fetch(request), runtime.services.localToken);
} else {
  const app = new Hono();
  app.post('/parse', async (context) => {
    const events: unknown = await context.req.json();
    return context.json({ events: Array.isArray(events) ? events.length : 1 });
  });
  app.get('/answer', (context) => context.json({ value: '1' }));
  if (kind === 'append') {
    const file = openSync(path, 'a');
    const [writeAsync, syncAsync] = [promisify(write), promisify(fdatasync)];
    app.post('/append', async (context) => {
      const body = Buffer.from(await context.req.arrayBuffer());
      await writeAsync(file, body);
      await syncAsync(file);
      return context.json({ ok: true });
    });
  }
  listen((request) => app.fetch(request), '-');
}
