import type { LogPosition } from '../../core/raw-event.js';

/** A condition on raw rows, for both engines: at or below the position of their partition. A partition that is not named has none. */
export function upToPositions(positions: readonly LogPosition[]): string {
  if (positions.length === 0) return '(1 = 0)';
  const each = positions.map(
    ({ partition, offset }) => `(log_partition = ${partition} AND log_offset <= ${offset})`,
  );
  return `(${each.join(' OR ')})`;
}
