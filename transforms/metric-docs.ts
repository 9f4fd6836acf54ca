import { READ_AS } from '../core/catalog/metric-names.js';
import { CURRENCY_EXPONENTS } from '../core/currencies.js';
import { drillParameters } from './drill.js';
import type { Metric } from './metric.js';
import type { NamedRun } from './sql-template.js';
import { catalogName } from './target-question.js';

const HEAD = `# Metrics

Generated from the registry (\`transforms/metrics/\`); the same sentences stand in \`GET /v1/metrics\`. Money is in minor units,
ratios in parts per million with both sides beside them, durations in seconds. NULL stands where a definition says so.
`;

const UNITS: Readonly<Record<Metric['unit'], string>> = {
  minor: 'money, minor units',
  micros: 'money, millionths of the major unit',
  ppm: 'parts per million',
  count: 'count',
  seconds: 'seconds',
  points: 'points',
  minutes: 'minutes',
};

function section(metric: Metric): string {
  const lines = [
    `### \`${metric.name}\`: ${metric.title}`,
    '',
    metric.definition,
    '',
    `- Unit: ${UNITS[metric.unit]}${metric.numerator === undefined ? '' : ` (\`${metric.numerator}\` ÷ \`${metric.denominator ?? ''}\`)`}`,
    `- From: \`${metric.mart}.${metric.value}\`${metric.grain === 'none' ? '' : `, by ${metric.grain}`}`,
    `- Broken down by: ${metric.dimensions.join(', ') || 'nothing'}`,
    `- Owner: ${metric.owner}, ${metric.cadence}`,
  ];
  return lines.join('\n');
}

const FAMILIES: readonly (readonly [Metric['persona'], string])[] = [
  ['founder', 'For founders'],
  ['finance', 'For finance'],
  ['product', 'For product'],
  ['sales', 'For sales'],
];

/** docs/metrics.md, from the registry alone: what people read can't differ from what the API says. */
export function metricsPage(metrics: readonly Metric[]): string {
  const families = FAMILIES.flatMap(([persona, title]) => {
    const own = metrics.filter((metric) => metric.persona === persona);
    return own.length === 0 ? [] : [`## ${title}`, ...own.map(section)];
  });
  return `${[HEAD, ...families].join('\n\n')}\n`;
}

/** dashboards/exponents.json: digits of those minor units that are not two. */
export function exponentsFile(): string {
  const unusual = [...CURRENCY_EXPONENTS].filter(([, exponent]) => exponent !== 2).sort();
  return `${JSON.stringify(Object.fromEntries(unusual), null, 2)}\n`;
}

/** What a drill asks for is the same in every run. */
const ANY_RUN: NamedRun = {
  dialect: 'duckdb',
  relation: 'run',
  facts: (stream) => stream,
  raw: (stream) => stream,
};

/** dashboards/definitions.json: what pages say of each number, by which columns of its row the rows behind it are found, and what targets call it. */
export function definitionsFile(metrics: readonly Metric[]): string {
  const entries = metrics.map((metric) => {
    const { name, title, definition, unit, owner, cadence, mart, value } = metric;
    return {
      ...{
        name,
        title,
        definition,
        unit: UNITS[unit],
        kind: READ_AS.get(name) ?? unit,
        owner,
        cadence,
        mart,
        value,
      },
      place: drillParameters(metric, ANY_RUN),
      target: catalogName(name),
    };
  });
  return `${JSON.stringify(entries, null, 2)}\n`;
}
