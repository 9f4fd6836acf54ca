import type { Command } from 'commander';
import { z } from 'zod';
import { withClient } from '../command.js';
import { table } from '../output.js';
import { collectPair } from './metrics.js';

const DrillAnswer = z.object({
  metric: z.string(),
  run_id: z.string(),
  as_of: z.string(),
  sides: z.record(z.string(), z.object({ sum: z.string(), rows: z.number() })),
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

export function addDrillCommand(program: Command): void {
  program
    .command('drill')
    .argument('<metric>', 'the metric whose number to open')
    .argument('[place...]', 'where the number stands, as name=value: month=2026-09-01 currency=USD')
    .description('show the events behind a number; each side adds up to it exactly')
    .option('--as-of <instant>', 'in the run measured as of this instant')
    .option('--limit <rows>', 'at most so many rows (sums cover all)')
    .addHelpText('after', '\nExample:\n  headgate drill mrr month=2026-09-01 currency=USD --limit 20')
    .action(
      async (
        metric: string,
        place: string[],
        options: { asOf?: string; limit?: string },
        command: Command,
      ) => {
        await withClient(command, async (client, { output }) => {
          const question = place.reduce<Record<string, string>>(
            (known, pair) => collectPair(pair, known),
            {},
          );
          const answer = await client.call(
            {
              path: `/v1/metrics/${encodeURIComponent(metric)}/drill`,
              query: { ...question, as_of: options.asOf, limit: options.limit },
            },
            DrillAnswer,
          );
          output.answer(answer, () => describeDrill(answer));
        });
      },
    );
}

function describeDrill({
  metric,
  sides,
  rows,
  as_of: asOf,
  run_id: runId,
  is_complete: isComplete,
}: Drill): string {
  const sums = Object.entries(sides).map(
    ([side, { sum, rows: count }]) => `${side}: ${sum} from ${count} rows`,
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
  return `${metric}\n${sums.join('\n') || 'no rows: the number is 0 or empty'}\n\n${body}${more}\n\nas of ${asOf}, run ${runId}`;
}
