import { expect, test } from 'vitest';
import { z } from 'zod';
import type { ApiCall, Client } from './client.js';
import { readList } from './pages.js';

/** A list of `count` numbers, served in pages as the API serves them. */
function numbersTo(count: number): { client: Client; calls: ApiCall[] } {
  const calls: ApiCall[] = [];
  const client: Client = {
    runtime: null,
    call(call, shape) {
      calls.push(call);
      const start = Number(call.query?.['cursor'] ?? 0);
      const end = Math.min(start + Number(call.query?.['limit']), count);
      const numbers = Array.from({ length: end - start }, (_, index) => start + index);
      const answer = { numbers, next_cursor: end < count ? String(end) : null };
      return Promise.resolve(shape.parse(answer));
    },
    bytes: () => Promise.resolve(new Uint8Array()),
    close: () => Promise.resolve(),
  };
  return { client, calls };
}

test('without a limit every row comes, however many pages that takes', async () => {
  const { client, calls } = numbersTo(2_345);
  const question = { rows: 'numbers', row: z.number(), limit: undefined, pageRows: 1_000 };
  const list = await readList(client, { path: '/' }, question);
  expect(list.rows).toEqual(Array.from({ length: 2_345 }, (_, index) => index));
  expect([list.hasMore, calls.length]).toEqual([false, 3]);
});

test('a limit cuts, and says that there are more', async () => {
  const { client } = numbersTo(500);
  const list = await readList(client, { path: '/' }, { rows: 'numbers', row: z.number(), limit: 250 });
  expect([list.rows.length, list.hasMore]).toEqual([250, true]);
});
