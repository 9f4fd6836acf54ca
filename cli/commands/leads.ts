import { Option, type Command } from 'commander';
import { z } from 'zod';
import { countArgument, instantArgument, wholeNumberArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { table } from '../output.js';
import { listText, originOf, readList } from '../pages.js';

const Lead = z.looseObject({
  lead_id: z.string(),
  org_id: z.string().nullable(),
  channel: z.string().nullable(),
  owner_id: z.string().nullable(),
  email: z.string().nullable(),
  fit_points: z.number(),
  engagement_points: z.number(),
  score: z.number(),
  grade: z.string(),
  band: z.string(),
  model_version: z.string(),
  is_assumed: z.boolean().nullish(),
});
type Lead = z.infer<typeof Lead>;

const LeadScore = z.looseObject({
  run_id: z.string(),
  as_of: z.string(),
  lead: Lead,
  parts: z.array(
    z.looseObject({
      feature: z.string(),
      part: z.string(),
      value: z.string().nullable(),
      points: z.number(),
    }),
  ),
});
type LeadScore = z.infer<typeof LeadScore>;

interface ListOptions {
  readonly grade?: string;
  readonly owner?: string;
  readonly minScore?: number;
  readonly sort: string;
  readonly asOf?: string;
  readonly limit: number;
}

export function addLeadsCommand(program: Command): void {
  const leads = program.command('leads').description('leads with their scores, and why');
  withExamples(leads, 'headgate leads list --grade A', 'headgate leads show lead_7');
  const list = leads
    .command('list')
    .description('leads, best first')
    .option('--grade <grade>', 'a letter for fit, or with its digit for engagement: A or A1')
    .option('--owner <owner>', 'only those of one owner')
    .option('--min-score <points>', 'only those with at least so many points', wholeNumberArgument)
    .addOption(
      new Option('--sort <order>', 'a minus is descending')
        .choices(['-score', 'score', '-created_at', 'created_at'])
        .default('-score'),
    )
    .option('--as-of <instant>', 'from the run measured as of this instant', instantArgument)
    .option('--limit <rows>', 'at most so many', countArgument, 25)
    .action(listLeads);
  withExamples(list, 'headgate leads list --limit 10', 'headgate leads list --grade A1 --sort=-created_at');
  const show = leads
    .command('show')
    .argument('<lead>', 'its id, as listed')
    .description('one lead, with the parts that add up to its score')
    .option('--as-of <instant>', 'from the run measured as of this instant', instantArgument)
    .action(showLead);
  withExamples(show, 'headgate leads show lead_7', 'headgate leads show lead_7 --json');
}

async function listLeads(options: ListOptions, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const { grade, owner, minScore, sort, asOf, limit } = options;
    const list = await readList(
      client,
      { path: '/v1/leads', query: { grade, owner, min_score: minScore, sort, as_of: asOf } },
      { rows: 'leads', row: Lead, limit },
    );
    output.answer(list.answer, () => listText(list, leadTable(list.rows), 'no leads here'));
  });
}

function leadTable(leads: readonly Lead[]): string {
  return table(
    ['lead', 'grade', 'score', 'fit', 'engagement', 'band', 'channel', 'owner', 'e-mail', ''],
    leads.map((lead) => [
      lead.lead_id,
      lead.grade,
      String(lead.score),
      String(lead.fit_points),
      String(lead.engagement_points),
      lead.band,
      lead.channel ?? '–',
      lead.owner_id ?? '–',
      lead.email ?? '–',
      lead.is_assumed === true ? 'assumed scorecard' : '',
    ]),
    ['left', 'left', 'right', 'right', 'right'],
  );
}

async function showLead(leadId: string, options: { asOf?: string }, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const answer = await client.call(
      { path: `/v1/leads/${encodeURIComponent(leadId)}/score`, query: { as_of: options.asOf } },
      LeadScore,
    );
    output.answer(answer, () => describeScore(answer));
  });
}

function describeScore({ lead, parts, as_of: asOf, run_id: runId }: LeadScore): string {
  const body = table(
    ['part', 'feature', 'value', 'points'],
    [
      ...parts.map(({ part, feature, value, points }) => [part, feature, value ?? '–', String(points)]),
      ['', 'score', '', String(lead.score)],
    ],
    ['left', 'left', 'left', 'right'],
  );
  const who = [lead.lead_id, lead.email, lead.org_id].filter((each) => each !== null).join(', ');
  return [
    `${who}: grade ${lead.grade}, ${lead.band}, by model ${lead.model_version}${lead.is_assumed === true ? ' (assumed)' : ''}`,
    '',
    body,
    '',
    originOf(asOf, runId),
  ].join('\n');
}
