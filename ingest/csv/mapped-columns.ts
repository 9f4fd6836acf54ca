import type { MappedEvent, MappedValue, Mapping } from './mapping.js';
import { columnsOf } from './read-cell.js';

/** Every column that a mapping looks at, once. */
export function mappedColumns({ events }: Mapping): string[] {
  return [...new Set(events.flatMap(columnsOfEvent))];
}

function columnsOfEvent({ when, id, subject, time, data }: MappedEvent): string[] {
  return [...(when ? [when.column] : []), ...[id, subject, time, data].flatMap(columnsOfValue)];
}

function columnsOfValue(value: MappedValue): string[] {
  if (typeof value === 'string') return columnsOf(value);
  if (typeof value !== 'object') return [];
  if (Array.isArray(value)) return value.flatMap(columnsOfValue);
  if ('constant' in value) return [];
  if (!('as' in value)) return Object.values(value).flatMap(columnsOfValue);
  const { column, template, currency } = value;
  const named = typeof column === 'string' ? [column] : [];
  const filled = [template, currency].flatMap((text) => (typeof text === 'string' ? columnsOf(text) : []));
  return [...named, ...filled];
}
