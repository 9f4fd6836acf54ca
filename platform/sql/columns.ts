import { bigint, customType } from 'drizzle-orm/pg-core';
import { formatInstant, parseInstant, type Instant } from '../../core/time.js';

export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => 'bytea',
});
/** timestamptz as core's `Instant`: a JavaScript Date would cut the microseconds. Sessions run in UTC. */
export const instant = customType<{ data: Instant; driverData: string }>({
  dataType: () => 'timestamp with time zone',
  toDriver: (value) => formatInstant(value),
  // Postgres writes "2026-01-31 09:30:00.5+00".
  fromDriver: (text) => parseInstant(`${text.slice(0, 10)}T${text.slice(11)}:00`),
});
/** 64 bits: offsets, versions, money in minor units. */
export const wide = (name: string) => bigint(name, { mode: 'bigint' });
