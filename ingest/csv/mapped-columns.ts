import { isCell, isList, type Cell, type MappedEvent, type MappedValue, type Mapping } from './mapping.js';
import { columnsOf } from './read-cell.js';

/** A column that a mapping looks at through a cell, which says how its text is read. */
export interface MappedCell {
  readonly column: string;
  readonly cell: Cell;
}

/** Every column that a mapping looks at, once. */
export function mappedColumns({ events }: Mapping): string[] {
  return [...new Set(events.flatMap(columnsOfEvent))];
}

export function mappedCells({ events }: Mapping): MappedCell[] {
  return events
    .flatMap(valuesOfEvent)
    .flatMap(cellsOfValue)
    .flatMap((cell) => readColumns(cell).map((column) => ({ column, cell })));
}

function columnsOfEvent(event: MappedEvent): string[] {
  const condition = event.when ? [event.when.column] : [];
  return [...condition, ...valuesOfEvent(event).flatMap(columnsOfValue)];
}

function valuesOfEvent({ id, subject, time, data }: MappedEvent): MappedValue[] {
  return [id, subject, time, data];
}

function columnsOfValue(value: MappedValue): string[] {
  if (typeof value === 'string') return columnsOf(value);
  if (isList(value)) return value.flatMap(columnsOfValue);
  if (typeof value !== 'object' || 'constant' in value) return [];
  if (!isCell(value)) return Object.values(value).flatMap(columnsOfValue);
  const { currency } = value;
  return [...readColumns(value), ...(currency === undefined ? [] : columnsOf(currency))];
}

function cellsOfValue(value: MappedValue): Cell[] {
  if (isList(value)) return value.flatMap(cellsOfValue);
  if (typeof value !== 'object' || 'constant' in value) return [];
  return isCell(value) ? [value] : Object.values(value).flatMap(cellsOfValue);
}

function readColumns({ column, template }: Cell): string[] {
  return [...(column === undefined ? [] : [column]), ...(template === undefined ? [] : columnsOf(template))];
}
