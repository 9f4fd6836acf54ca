import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createApp } from '../api/app.js';
import { openRuntime, type Runtime } from '../cli/runtime.js';
import { parseInstant, type Instant } from '../core/time.js';
import type { Scope } from '../platform/key-scopes.js';
import { loadConfig } from '../platform/config.js';

export const NOW = parseInstant('2026-06-01T12:00:00Z');

export interface Call {
  readonly method?: string;
  readonly path: string;
  /** Undefined: the key of the bed, which may do all. Null: none. */
  readonly key?: string | null;
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; fails where it is none. */
  json(): unknown;
  problem(): z.infer<typeof ProblemAnswer>;
  as<Answer>(shape: z.ZodType<Answer>): Answer;
}

export const ProblemAnswer = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  retryable: z.boolean(),
  request_id: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export interface ApiTestBed {
  readonly runtime: Runtime;
  readonly root: string;
  call(call: Call): Promise<Answered>;
  keyWith(...scopes: Scope[]): Promise<string>;
  /** Moves the bed's clock, which stands still otherwise. */
  setClock(now: Instant): void;
  close(): Promise<void>;
}

/** The API over a data directory of its own: everything real but the network and the clock. */
export async function openApiTestBed(
  environment: Readonly<Record<string, string>> = {},
): Promise<ApiTestBed> {
  const root = mkdtempSync(join(tmpdir(), 'headgate-api-'));
  let now = NOW;
  const runtime = await openRuntime({
    config: loadConfig({ HEADGATE_DATA: root, HEADGATE_LOG_LEVEL: 'silent', ...environment }),
    command: 'test',
    clock: () => now,
    environment: {},
    onProgress: () => undefined,
  });
  const app = createApp(runtime.services);
  return {
    runtime,
    root,
    setClock: (to) => {
      now = to;
    },
    call: async (call) => {
      const response = await app.fetch(requestOf(call, runtime.services.localToken));
      return answered(response);
    },
    keyWith: async (...scopes) => {
      const { secret } = await runtime.services.keys.create({ name: 'test', scopes }, 'test', now);
      return secret;
    },
    close: async () => {
      await runtime.close();
      rmSync(root, { recursive: true });
    },
  };
}

export function requestOf(
  { method, path, key, json, body, type, headers = {} }: Call,
  localToken: string,
  origin = 'http://localhost',
): Request {
  const content = body ?? (json === undefined ? undefined : JSON.stringify(json));
  const mediaType = type ?? (json === undefined ? undefined : 'application/json');
  const secret = key === undefined ? localToken : key;
  return new Request(new URL(path, origin), {
    method: method ?? (content === undefined ? 'GET' : 'POST'),
    headers: {
      ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
      ...(mediaType === undefined ? {} : { 'content-type': mediaType }),
      ...headers,
    },
    ...(content === undefined ? {} : { body: content, duplex: 'half' }),
  });
}

export async function answered(response: Response): Promise<Answered> {
  const text = await response.text();
  const json = (): unknown => JSON.parse(text);
  return {
    status: response.status,
    headers: response.headers,
    text,
    json,
    problem: () => ProblemAnswer.parse(json()),
    as: (shape) => shape.parse(json()),
  };
}
