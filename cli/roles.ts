import { InputError } from '../core/errors.js';
import type { Config } from '../platform/config.js';

/** What a serving process does. Embedded there is one process, and it does everything. */
export const ROLES = ['all', 'api', 'consumer', 'scheduler'] as const;
export type Role = (typeof ROLES)[number];

/** What a role stands for, as switches. */
export interface Duties {
  /** Answers the whole API; without it, only health and metrics. */
  readonly answersApi: boolean;
  /** Takes what is in the log into the warehouse. */
  readonly consumes: boolean;
  /** Transforms by the schedule and tidies up, while it leads. */
  readonly schedules: boolean;
}

export function dutiesOf(role: Role): Duties {
  const isAll = role === 'all';
  return {
    answersApi: isAll || role === 'api',
    consumes: isAll || role === 'consumer',
    schedules: isAll || role === 'scheduler',
  };
}

/** @throws InputError `invalid_config` where a process of this role would stand beside others that it can't share a store with */
export function requireRole(role: Role, config: Config): void {
  if (role === 'all') return;
  const missing = [
    ...(config.database === null ? ['DATABASE_URL'] : []),
    ...(config.clickHouse === null ? ['CLICKHOUSE_URL'] : []),
    ...(config.kafka === null && role === 'consumer' ? ['KAFKA_BROKERS'] : []),
  ];
  if (missing.length === 0) return;
  throw new InputError(
    'invalid_config',
    `serve --role ${role}: needs ${missing.join(' and ')}, since an embedded engine belongs to one process; ` +
      'set what is missing, or leave --role out and one process does everything',
    { details: { missing } },
  );
}
