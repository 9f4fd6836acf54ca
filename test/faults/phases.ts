/**
 * What a kill may hit: the warehouse's own transaction for a stretch of a file, the log's group commit, the lake's export, dbt, the
 * run's files (facts as Parquet, the folder moved into place), and the transaction that moves the pointer.
 */
export const PHASES = ['write', 'append', 'export', 'dbt', 'files', 'pointer'] as const;
export type Phase = (typeof PHASES)[number];
