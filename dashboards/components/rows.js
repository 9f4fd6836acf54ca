// Where the rows behind a number are: the product's own page, which re-adds them.

import { base } from '$app/paths';

/** A value of a row as an address names it. @param {unknown} value */
const text = (value) => (value instanceof Date ? value.toISOString().slice(0, 10) : String(value));

/** What a drill takes for everything where nothing is said. */
const WHOLE = new Set(['dimension', 'member']);

/**
 * @param {{ name: string, place: string[] } | undefined} metric as definitions.json has it
 * @param {Record<string, unknown> | undefined} row the row that the number is read from
 * @param {string} run the run that it belongs to
 * @returns {string | undefined} nothing where the row does not say where the number stands
 */
export function rowsAddress(metric, row, run) {
  if (!metric || !row) return undefined;
  const place = metric.place.filter((name) => row[name] !== undefined || !WHOLE.has(name));
  if (place.some((name) => row[name] == null)) return undefined;
  const query = new URLSearchParams([...place.map((name) => [name, text(row[name])]), ['run', run]]);
  return `${base}/rows/${metric.name}?${query}`;
}
