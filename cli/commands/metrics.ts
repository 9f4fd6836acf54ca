import type { Command } from 'commander';
import { z } from 'zod';
import { countArgument, dayArgument, instantArgument, pairArgument } from '../arguments.js';
import { withClient, type CommandContext } from '../command.js';
import type { Client } from '../client.js';
import { withExamples } from '../help.js';
import { showValue } from '../numbers.js';
import { table } from '../output.js';
import { listText, readList, type List } from '../pages.js';
import { addCloseCommand } from './close-month.js';

/** What one answer of a metric holds at most. */
const PAGE_ROWS = 10_000;

const MetricAnswer = z.looseObject({
  name: z.string(),
  title: z.string(),
  definition: z.string(),
  unit: z.string(),
  grain: z.string(),
  dimensions: z.array(z.string()),
  owner: z.string(),
});
const ListAnswer = z.object({ metrics: z.array(MetricAnswer) });
const MetricValue = z.object({
  period: z.string().nullable(),
  currency: z.string().nullable(),
  dimensions: z.record(z.string(), z.string()),
  value: z.string().nullable(),
  numerator: z.string().nullable(),
  denominator: z.string().nullable(),
  is_complete: z.boolean().nullable(),
});
type MetricValue = z.infer<typeof MetricValue>;
export const ValuesAnswer = z.object({
  metric: MetricAnswer,
  run_id: z.string(),
  as_of: z.string(),
  values: z.array(MetricValue),
});

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly by?: string;
  readonly where?: Readonly<Record<string, string>>;
  readonly currency?: string;
  readonly asOf?: string;
  readonly limit?: number;
}

export function addMetricsCommand(program: Command): void {
  const metrics = program
    .command('metrics')
    .argument('[name]', 'a metric; without one, all are listed with their definitions')
    .description('show metrics and their values')
    .option('--from <date>', 'periods from this day on, as 2026-01-01', dayArgument)
    .option('--to <date>', 'periods before this day', dayArgument)
    .option('--by <dimension>', 'break down by a dimension')
    .option('--where <dimension=value>', 'only this member; may be repeated', pairArgument)
    .option('--currency <code>', 'only this currency')
    .option('--as-of <instant>', 'from the run measured as of this instant', instantArgument)
    .option('--limit <rows>', 'at most so many values', countArgument)
    .action(async (name: string | undefined, options: Options, command: Command) => {
      await withClient(command, (client, context) =>
        name === undefined ? listMetrics(client, context) : showMetric(name, options, client, context),
      );
    });
  withExamples(
    metrics,
    'headgate metrics',
    'headgate metrics mrr --from 2026-01-01',
    'headgate metrics mrr --by plan --json',
  );
  addCloseCommand(metrics);
}

async function listMetrics(client: Client, { output }: CommandContext): Promise<void> {
  const answer = await client.call({ path: '/v1/metrics' }, ListAnswer);
  output.answer(answer, () =>
    table(
      ['metric', 'unit', 'definition'],
      answer.metrics.map(({ name, unit, definition }) => [name, unit, definition]),
    ),
  );
}

async function showMetric(
  name: string,
  options: Options,
  client: Client,
  { output }: CommandContext,
): Promise<void> {
  const where = Object.fromEntries(
    Object.entries(options.where ?? {}).map(([key, value]) => [`where[${key}]`, value]),
  );
  const { from, to, by, currency, asOf, limit } = options;
  const list = await readList(
    client,
    {
      path: `/v1/metrics/${encodeURIComponent(name)}`,
      query: { from, to, by, currency, as_of: asOf, ...where },
    },
    { rows: 'values', row: MetricValue, limit, pageRows: PAGE_ROWS },
  );
  output.answer(list.answer, () => describeValues(list));
}

function describeValues(list: List<MetricValue>): string {
  const { metric } = ValuesAnswer.parse(list.answer);
  const values = list.rows;
  const dimensions = [...new Set(values.flatMap((value) => Object.keys(value.dimensions)))];
  const rows = values.map((value) => [
    value.period ?? '',
    value.currency ?? '',
    ...dimensions.map((dimension) => value.dimensions[dimension] ?? ''),
    showValue(value.value === null ? null : BigInt(value.value), metric.unit, value.currency),
    value.is_complete === false ? `${metric.grain} not over` : '',
  ]);
  const head = ['period', 'currency', ...dimensions, metric.title, ''];
  const body = table(
    head,
    rows,
    head.map((_, index) => (index === head.length - 2 ? 'right' : 'left')),
  );
  return `${metric.title}: ${metric.definition}\n\n${listText(list, body, '(no values)')}`;
}
