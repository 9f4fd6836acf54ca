import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { operations } from '../../api/operations.js';
import { ERROR_CODES } from '../../core/errors.js';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';

const Schema = z.looseObject({});
const Media = z.record(z.string(), z.object({ schema: Schema }));
const OperationObject = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z0-9]+$/),
  tags: z.array(z.string()).length(1),
  summary: z.string().min(10).max(160),
  description: z.string().optional(),
  security: z.array(z.strictObject({ bearer: z.array(z.string()) })).optional(),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean(),
        description: z.string().optional(),
        schema: Schema,
      }),
    )
    .optional(),
  requestBody: z.strictObject({ description: z.string().optional(), content: Media }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string(), content: Media })),
});
type OperationObject = z.infer<typeof OperationObject>;
const Components = z.object({
  schemas: z.record(z.string(), Schema),
  securitySchemes: z.object({ bearer: z.object({ type: z.literal('http'), scheme: z.literal('bearer') }) }),
});
const Document = z.looseObject({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.string(), description: z.string() }),
  components: Components,
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
});

let bed: ApiTestBed;
let text: string;
beforeAll(async () => {
  bed = await openApiTestBed();
  text = (await bed.call({ path: '/openapi.json', key: null })).text;
});
afterAll(() => bed.close());

const document = (): z.infer<typeof Document> => Document.parse(JSON.parse(text));

/** Every operation of the document, as `get /v1/runs`. */
function documented(): Map<string, OperationObject> {
  return new Map(
    Object.entries(document().paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, one]) => [`${method} ${path}`, OperationObject.parse(one)] as const,
      ),
    ),
  );
}

describe('the OpenAPI document', () => {
  test('has the shape of OpenAPI 3.1, and in its operations nothing that its readers would trip over', () => {
    expect(() => document()).not.toThrow();
    expect(() => documented()).not.toThrow();
  });

  test('describes the operations there are, each once, and no other', () => {
    const routes = operations.map(({ method, path }) => `${method} ${path}`);
    expect([...documented().keys()].sort()).toEqual([...routes].sort());
    expect(new Set(routes).size).toBe(routes.length);
    const ids = [...documented().values()].map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('refers to nothing that it does not hold', () => {
    const { components } = document();
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target ?? '');
    expect(references.length).toBeGreaterThan(0);
    const known = Object.keys(components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(references.filter((target) => !known.includes(target))).toEqual([]);
  });

  test.each(operations.map((one) => [`${one.method} ${one.path}`, one] as const))(
    '%s: path parameters, scopes, statuses and problems are those that the router runs by',
    (name, operation) => {
      const found = documented().get(name);
      const inPath = (found?.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
      expect(inPath).toEqual([...operation.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter));
      const security = operation.scopes === null ? undefined : [{ bearer: [...operation.scopes] }];
      expect(found?.security).toEqual(security);
      expect(Object.keys(found?.responses ?? {})).toEqual([String(operation.answerStatus), 'default']);
      const codes = found?.responses['default']?.description ?? '';
      for (const code of operation.problems) expect(codes).toContain(code);
      expect(found?.requestBody !== undefined).toBe(
        operation.body !== undefined || operation.rawBody !== undefined,
      );
    },
  );

  test('lists take limit and cursor and give next_cursor', () => {
    const withCursor = operations.filter(({ query }) => query !== undefined && 'cursor' in query.shape);
    expect(withCursor.length).toBeGreaterThanOrEqual(10);
    for (const { query, answer, path } of withCursor) {
      expect([path, query !== undefined && 'limit' in query.shape]).toEqual([path, true]);
      expect([path, answer instanceof z.ZodObject && 'next_cursor' in answer.shape]).toEqual([path, true]);
    }
  });
});

describe('the docs page', () => {
  test('loads its script and its description from this host and nothing from another', async () => {
    const page = await bed.call({ path: '/docs', key: null });
    expect(page.headers.get('content-type')).toContain('text/html');
    const links = [...page.text.matchAll(/(?:src|href|spec-url)="([^"]*)"/g)].map(([, link]) => link ?? '');
    expect(links).toEqual(['/docs/rapidoc.js', '/openapi.json']);
    for (const path of links) expect((await bed.call({ path, key: null })).status).toBe(200);
    expect(page.text).not.toMatch(/https?:|\/\/\w|<style|<script(?! type="module" src="\/)/);
  });

  test('is held to that by its policy, whatever its script would like to load', async () => {
    const policy =
      (await bed.call({ path: '/docs', key: null })).headers.get('content-security-policy') ?? '';
    const directives = new Map(
      policy.split('; ').map((one) => [one.split(' ')[0], one.split(' ').slice(1)] as const),
    );
    expect(directives.get('default-src')).toEqual(["'none'"]);
    expect(directives.get('script-src')).toEqual(["'self'"]);
    expect(directives.get('connect-src')).toEqual(["'self'"]);
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
  });
});

test('the type of every problem leads to a page about it', async () => {
  for (const code of ERROR_CODES) {
    const page = await bed.call({ path: `/docs/problems/${code}`, key: null });
    expect([code, page.status, page.text.startsWith(`${code}: `)]).toEqual([code, 200, true]);
  }
  expect((await bed.call({ path: '/docs/problems/no_run', key: null })).text).toContain(
    '  GET /v1/metrics/{name}\n',
  );
  expect((await bed.call({ path: '/docs/problems/nothing', key: null })).problem().code).toBe(
    'route_not_found',
  );
});

test('answers are data: no cache keeps them, no page frames them, no browser guesses at them', async () => {
  for (const path of ['/healthz', '/v1/metrics', '/v1/nothing']) {
    const { headers } = await bed.call({ path });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  }
});
