import { z } from '@hono/zod-openapi';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { revealFor } from '../personal-values.js';
import { Cursor, InstantAnswer, InstantArgument, Limit, NextCursor } from '../shapes.js';
import { Org, ORG_COLUMNS, orgOf, OrgRow } from './org-shape.js';

const Place = z.tuple([z.string(), z.string()]);

interface Question {
  readonly segment: string | undefined;
  readonly plan: string | undefined;
  readonly after: string;
  readonly limit: number;
}

/** Orgs are paged before their months are joined, because an org has a row for each of its currencies. */
async function readOrgs(reader: RunReader, { segment, plan, after, limit }: Question): Promise<OrgRow[]> {
  const { relation } = reader;
  const last = `(select max(month) from ${relation}.org_months)`;
  const conditions = [
    ...(segment === undefined ? [] : ['segment = $segment']),
    ...(plan === undefined
      ? []
      : [`org_id in (select org_id from ${relation}.org_months where month = ${last} and plan_id = $plan)`]),
  ];
  return reader.query(
    `select ${ORG_COLUMNS}
     from (
       select * from ${relation}.int_orgs
       where not is_excluded and org_id > $after ${conditions.map((condition) => `and ${condition}`).join(' ')}
       order by org_id limit $limit
     ) as orgs
     left join ${relation}.org_months as months on months.org_id = orgs.org_id and months.month = ${last}
     order by orgs.org_id, months.currency`,
    {
      after,
      limit,
      ...(segment === undefined ? {} : { segment }),
      ...(plan === undefined ? {} : { plan }),
    },
    OrgRow,
  );
}

/** Rows of one org stand together. */
function byOrg(rows: readonly OrgRow[]): [OrgRow, ...OrgRow[]][] {
  const groups = new Map<string, [OrgRow, ...OrgRow[]]>();
  for (const row of rows) {
    const group = groups.get(row.org_id);
    if (group === undefined) groups.set(row.org_id, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

export const listOrgs = operation({
  method: 'get',
  path: '/v1/orgs',
  scope: 'metrics:read',
  tag: 'Orgs',
  summary: 'Customer orgs with their plan, installs and money in the last month, by id',
  description:
    'Names are shown to keys that may read leads; others see a token. Test and internal orgs are left out.',
  query: z.strictObject({
    segment: z.string().min(1).max(80).optional(),
    plan: z.string().min(1).max(80).optional(),
    as_of: InstantArgument.optional(),
    limit: Limit(500, 100),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    orgs: z.array(Org),
    next_cursor: NextCursor,
  }),
  problems: ['invalid_cursor', 'no_run', 'no_run_as_of', 'run_not_found'],

  async handle({ query }, context) {
    const { runs } = context.services;
    const name = JSON.stringify(['orgs', query.segment, query.plan, query.as_of?.toString()]);
    const [runId, after = ''] = query.cursor === undefined ? [] : openCursor(name, query.cursor, Place);
    const run = await runs.choose(runId === undefined ? { asOf: query.as_of } : { runId });
    const { segment, plan, limit } = query;
    const rows = await runs.read(run, ({ reader }) =>
      readOrgs(reader, { segment, plan, after, limit: limit + 1 }),
    );
    const found = byOrg(rows);
    const page = found.slice(0, limit);
    const reveal = await revealFor(
      context,
      page.map(([row]) => row.name),
    );
    const last = page.at(-1)?.[0].org_id;
    return {
      run_id: run.runId,
      as_of: run.asOf,
      orgs: page.map((group) => ({ ...orgOf(group), name: reveal(group[0].name) })),
      next_cursor: found.length > limit && last !== undefined ? sealCursor(name, [run.runId, last]) : null,
    };
  },
});
