import type { Catalog } from '../catalog.js';
import { addMonths, formatDate, parseDate } from '../time.js';
import { goalFor, type Target } from './market.js';
import { METRIC_UNITS } from './metric-names.js';
import { table, timestampCell } from './tables.js';

/** Who is sold to, through what, and what the plan promises. */
export const MARKET_TABLES = {
  catalog_settings: table(
    {
      catalog_id: 'text',
      name: 'text',
      zone: 'text',
      reporting_currency: 'text',
      has_packages: 'boolean',
      effective_from: 'timestamp',
      effective_to: 'timestamp',
      min_support: 'bigint',
    },
    (catalog, { effectiveFrom, effectiveTo }) => [
      {
        catalog_id: catalog.catalog,
        name: catalog.name,
        zone: catalog.zone,
        reporting_currency: catalog.reportingCurrency,
        has_packages: Object.keys(catalog.packages).length > 0,
        effective_from: timestampCell(effectiveFrom),
        effective_to: timestampCell(effectiveTo),
        min_support: BigInt(catalog.minSupport),
      },
    ],
  ),

  catalog_segments: table(
    { segment: 'text', name: 'text', motion: 'text', priority: 'integer', is_icp: 'boolean' },
    (catalog) =>
      Object.entries(catalog.segments).map(([segment, { name, motion, priority, idealCustomer }]) => ({
        segment,
        name,
        motion,
        priority,
        is_icp: idealCustomer,
      })),
  ),

  catalog_channels: table({ channel: 'text', name: 'text', kind: 'text' }, (catalog) =>
    Object.entries(catalog.channels).map(([channel, { name, kind }]) => ({ channel, name, kind })),
  ),

  catalog_targets: table(
    {
      target_id: 'text',
      phase: 'text',
      metric: 'text',
      dimension: 'text',
      member: 'text',
      comparator: 'text',
      goal: 'bigint',
      unit: 'text',
      currency: 'text',
      owner: 'text',
      cadence: 'text',
      period_start: 'date',
      period_end: 'date',
      is_assumed: 'boolean',
      is_owner_assumed: 'boolean',
    },
    (catalog) =>
      Object.entries(catalog.targets).map(([id, target]) => ({
        target_id: id,
        phase: target.phase ?? null,
        metric: target.metric,
        dimension: target.dimension ?? null,
        member: target.member ?? null,
        comparator: target.comparator,
        goal: goalFor(target.metric, target.goal) ?? null,
        unit: METRIC_UNITS[target.metric],
        currency: target.goal.unit === 'minor' ? target.goal.currency : null,
        owner: target.accountable.owner,
        cadence: target.accountable.cadence,
        ...targetPeriod(catalog, target),
        is_assumed: target.goal.assumed,
        is_owner_assumed: target.accountable.assumed,
      })),
  ),

  catalog_revenue_mix: table({ stream: 'text', share_ppm: 'bigint', is_assumed: 'boolean' }, (catalog) =>
    Object.entries(catalog.revenueMix ?? {}).map(([stream, { percent, assumed }]) => ({
      stream,
      share_ppm: BigInt(percent),
      is_assumed: assumed,
    })),
  ),

  catalog_accountability: table(
    { metric: 'text', owner: 'text', cadence: 'text', is_assumed: 'boolean' },
    (catalog) =>
      catalog.accountability.flatMap(({ metrics, owner, cadence, assumed }) =>
        metrics.map((metric) => ({ metric, owner, cadence: cadence.join(' / '), is_assumed: assumed })),
      ),
  ),
};

/** The days a target is judged over: its own, else its phase's months counted from the launch, else always. */
function targetPeriod(catalog: Catalog, target: Target) {
  if (target.period !== undefined) {
    return { period_start: target.period.from, period_end: target.period.to ?? null };
  }
  const months = target.phase === undefined ? undefined : catalog.phases[target.phase]?.months;
  if (months === undefined || catalog.launchedOn === undefined)
    return { period_start: null, period_end: null };
  const launch = parseDate(catalog.launchedOn);
  return {
    period_start: formatDate(addMonths(launch, months.from - 1)),
    period_end: months.to === undefined ? null : formatDate(addMonths(launch, months.to)),
  };
}
