import { ResultReturnType, type DuckDBResult } from '@duckdb/node-api';
import { UnavailableError } from '../../core/errors.js';

/**
 * To be called when a streamed result has given its last rows. The client takes an error in the middle of a stream for its end, and
 * half a result would be one more: only the result's type then tells the two apart.
 *
 * @throws StreamBroken the engine's words are not to be had; the same statement, not streamed, would say them
 */
export function requireWhole(result: DuckDBResult): void {
  if (result.returnType === ResultReturnType.INVALID) throw new StreamBroken();
}

export class StreamBroken extends UnavailableError {
  constructor() {
    super('warehouse_unavailable', 'the engine stopped in the middle of a result; ask again');
  }
}
