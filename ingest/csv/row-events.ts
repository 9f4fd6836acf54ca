import { SPEC_VERSION } from '../../core/events/envelope.js';
import type { EventProblem } from '../../core/events/problems.js';
import { formatInstant } from '../../core/time.js';
import {
  isCell,
  isList,
  type Condition,
  type MappedEvent,
  type MappedValue,
  type Mapping,
} from './mapping.js';
import { CellError, fillTemplate, readCell, readInstant, type Row } from './read-cell.js';

/** What a row says about one event of the mapping. */
export type RowEvent =
  | { readonly ok: true; readonly type: string; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly type: string; readonly problem: EventProblem };

/** The events of a row, not yet validated; those whose condition does not hold are left out. */
export function eventsOfRow(row: Row, { events, source }: Mapping): RowEvent[] {
  return events
    .filter(({ when }) => when === undefined || holds(when, row))
    .map((event): RowEvent => {
      try {
        return { ok: true, type: event.type, value: envelopeOf(event, source, row) };
      } catch (error) {
        if (!(error instanceof CellError)) throw error;
        const path = `column ${error.column}`;
        const problem = { path, code: error.code, message: `${path}: ${error.message}` };
        return { ok: false, type: event.type, problem };
      }
    });
}

function envelopeOf(event: MappedEvent, source: string, row: Row): Record<string, unknown> {
  return {
    specversion: SPEC_VERSION,
    id: valueOf(event.id, row),
    source,
    type: event.type,
    subject: valueOf(event.subject, row),
    time: timeOf(event.time, row),
    data: valueOf(event.data, row) ?? {},
  };
}

function timeOf(time: MappedEvent['time'], row: Row): string | undefined {
  if (typeof time === 'string') return fillTemplate(time, row);
  const instant = readInstant(time, row);
  return instant === undefined ? undefined : formatInstant(instant);
}

function valueOf(mapped: MappedValue, row: Row): unknown {
  if (typeof mapped === 'string') return fillTemplate(mapped, row);
  if (typeof mapped !== 'object') return mapped;
  if (isList(mapped))
    return mapped.map((element) => valueOf(element, row)).filter((value) => value !== undefined);
  if (isCell(mapped)) return readCell(mapped, row);
  if ('constant' in mapped) return mapped['constant'];
  const members = Object.entries(mapped)
    .map(([name, member]): [string, unknown] => [name, valueOf(member, row)])
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(members);
}

function holds({ column, present, is, isNot }: Condition, { cells }: Row): boolean {
  const text = cells.get(column)?.trim() ?? '';
  if (present !== undefined) return (text !== '') === present;
  if (is !== undefined) return is.includes(text);
  return isNot === undefined || !isNot.includes(text);
}
