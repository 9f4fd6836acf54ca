/** How a number of the registry is to be read; also decides how it is printed. */
export type MetricUnit = 'minor' | 'micros' | 'ppm' | 'count' | 'seconds' | 'points' | 'minutes';

export type MetricGrain = 'month' | 'week' | 'none';

/** One number that people may ask for: what it means, who answers for it, and where it stands in the marts. */
export interface Metric {
  readonly name: string;
  readonly title: string;
  /** One sentence; docs, API and dashboards print it as it is. */
  readonly definition: string;
  readonly unit: MetricUnit;
  readonly grain: MetricGrain;
  /** Columns (or, where the mart has `dimension, member`, dimensions) that the number may be broken down by. */
  readonly dimensions: readonly string[];
  /**
   * How the mart carries them: `member` = columns `dimension, member` with one dimension at a time ('all', 'all' is the total);
   * `rollup` = a column each, in which 'all' is the total; `columns` (default) = a column each, one row per combination.
   */
  readonly breakdown?: 'member' | 'rollup' | 'columns';
  readonly persona: 'founder' | 'finance' | 'sales' | 'product';
  readonly owner: string;
  readonly cadence: 'weekly' | 'monthly' | 'quarterly';
  readonly mart: string;
  /** The mart's column that holds the number. */
  readonly value: string;
  /** Both sides of a ratio; present exactly when unit is ppm. */
  readonly numerator?: string;
  readonly denominator?: string;
  /** The mart's date column; absent when grain is none. */
  readonly period?: string;
  readonly currency?: string;
  /** The mart marks periods that are not over yet (`is_complete`). */
  readonly hasCompleteness?: boolean;
  /** Rows of the mart that carry this number: column = value. */
  readonly filters?: Readonly<Record<string, string | number | boolean>>;
  /** A file of transforms/drill, without `.sql`. */
  readonly drill: string;
}
