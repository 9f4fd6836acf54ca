import { newExecutions } from './event-files.js';
import type { Call } from './http-load.js';

const ORGS = Array.from({ length: 400 }, (_, index) => `org_${index}`);
const ENDS_AT = '2026-10-01T00:00:00Z';

/** Lines of new executions of 400 orgs. */
export function executions(count: number, tag: string): string[] {
  return newExecutions(count, ENDS_AT, ORGS, tag);
}

/** Bodies of `size` events each; of one event, the event itself. */
export function eventBodies(size: number, count: number, tag: string): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const lines = executions(size, `${tag}${index}`);
    return Buffer.from(size === 1 ? (lines[0] ?? '') : `[${lines.join(',')}]`);
  });
}

export const postBatch = (body: Buffer): Call => post(body, 'application/cloudevents-batch+json');
export const postSingle = (body: Buffer): Call => post(body, 'application/cloudevents+json');

function post(body: Buffer, type: string): Call {
  return { method: 'POST', path: '/v1/events', body, type };
}
