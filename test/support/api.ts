import type { z } from 'zod';
import { createApp } from '../../api/app.js';
import type { TestCompany } from './company.js';

/** The company's own API, asked in this process. Whatever is not the answer asked for throws with the problem's words. */
export function apiOf(company: TestCompany) {
  const { services } = company.runtime;
  const app = createApp(services);
  const headers = { authorization: `Bearer ${services.localToken}`, 'content-type': 'application/json' };
  async function ask<Answer>(path: string, init: RequestInit, schema: z.ZodType<Answer>): Promise<Answer> {
    const response = await app.request(path, { ...init, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return schema.parse(JSON.parse(text));
  }
  return {
    get: <Answer>(path: string, schema: z.ZodType<Answer>) => ask(path, { method: 'GET' }, schema),
    post: <Answer>(path: string, body: unknown, schema: z.ZodType<Answer>) =>
      ask(path, { method: 'POST', body: JSON.stringify(body) }, schema),
  };
}
