import { expect, test } from 'vitest';
import { operations } from './operations.js';
import { createRouteTable, honoPath } from './route-table.js';

const methodsOf = createRouteTable(operations);

test('a path takes the methods of all operations on it, and no other path does', () => {
  expect(methodsOf('/v1/runs')).toEqual(['POST', 'GET', 'HEAD']);
  expect(methodsOf('/v1/runs/run_1')).toEqual(['GET', 'HEAD']);
  expect(methodsOf('/v1/runs/run_1/x')).toEqual([]);
  expect(methodsOf('/openapi.json')).toEqual(['GET', 'HEAD']);
  expect(methodsOf('/openapixjson')).toEqual([]);
});

test('Hono writes parameters with a colon', () => {
  expect(honoPath('/v1/leads/{leadId}/score')).toBe('/v1/leads/:leadId/score');
});
