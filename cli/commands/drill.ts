import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { countArgument, instantArgument, pairArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { metrics } from '../../transforms/metric-registry.js';
import { showCount, showValue } from '../numbers.js';
import { table } from '../output.js';
import { originOf } from '../pages.js';

const DrillAnswer = z.object({
  metric: z.string(),
  run_id: z.string(),
  as_of: z.string(),
  sides: z.record(z.string(), z.object({ sum: z.string(), rows: z.number(), digest: z.string() })),
  rows: z.array(
    z.object({
      side: z.string(),
      org_id: z.string().nullable(),
      stream: z.string(),
      event_source: z.string(),
      event_id: z.string(),
      at: z.string(),
      amount: z.string(),
      detail: z.string().nullable(),
    }),
  ),
  is_complete: z.boolean(),
});
type Drill = z.infer<typeof DrillAnswer>;

interface Options {
  readonly asOf?: string;
  readonly limit?: number;
}

export function addDrillCommand(program: Command): void {
  const command = program
    .command('drill')
    .argument('<metric>', 'the metric whose number to open')
    .addArgument(
      new Argument('[place...]', 'where the number stands, as name=value: month=2026-09-01 currency=USD')
        .argParser(pairArgument)
        .default({}, 'everywhere'),
    )
    .description('show the events behind a number; each side adds up to it exactly')
    .option('--as-of <instant>', 'in the run measured as of this instant', instantArgument)
    .option('--limit <rows>', 'at most so many rows (sums cover all)', countArgument)
    .action(drill);
  withExamples(
    command,
    'headgate drill mrr month=2026-09-01 currency=USD --limit 20',
    'headgate drill mrr month=2026-09-01 currency=USD --json > mrr-events.json',
  );
}

async function drill(
  metric: string,
  place: Readonly<Record<string, string>>,
  { asOf, limit }: Options,
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const answer = await client.call(
      {
        path: `/v1/metrics/${encodeURIComponent(metric)}/drill`,
        query: { ...place, as_of: asOf, limit },
      },
      DrillAnswer,
    );
    output.answer(answer, () => describeDrill(answer, place['currency']));
  });
}

function describeDrill(
  { metric, sides, rows, as_of: asOf, run_id: runId, is_complete: isComplete }: Drill,
  currency: string | undefined,
): string {
  const sums = Object.entries(sides).map(
    ([side, { sum, rows: count, digest }]) =>
      `${side}: ${sum}${asMoney(metric, side, sum, currency)} from ${showCount(BigInt(count))} rows, digest ${digest}`,
  );
  const body = table(
    ['side', 'org', 'event', 'at', 'amount', 'detail'],
    rows.map((row) => [
      row.side,
      row.org_id ?? '',
      `${row.stream} ${row.event_source} ${row.event_id}`,
      row.at,
      row.amount,
      row.detail ?? '',
    ]),
    ['left', 'left', 'left', 'left', 'right', 'left'],
  );
  const more = isComplete ? '' : '\n… more rows; --limit shows them';
  return `${metric}\n${sums.join('\n') || 'no rows: the number is 0 or empty'}\n\n${body}${more}\n\n${originOf(asOf, runId)}`;
}

/**
 * Rows add up in minor units; the sum is said as people say it too, where the place names the currency. What money is divided by
 * (customers, in an average per customer) is none.
 */
export function asMoney(metric: string, side: string, sum: string, currency: string | undefined): string {
  if (currency === undefined || side === 'denominator' || !/^-?\d+$/.test(sum)) return '';
  const unit = metrics.find(({ name }) => name === metric)?.unit;
  return unit === 'minor' ? ` (${showValue(BigInt(sum), unit, currency)})` : '';
}
