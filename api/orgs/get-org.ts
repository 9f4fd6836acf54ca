import { z } from '@hono/zod-openapi';
import { InputError } from '../../core/errors.js';
import { operation } from '../operation.js';
import { revealFor } from '../personal-values.js';
import { Count, ForeignId, InstantAnswer, InstantArgument, InstantText } from '../shapes.js';
import { moneyOf, Org, ORG_COLUMNS, OrgMoney, orgOf, OrgRow } from './org-shape.js';

const Install = z.object({
  install_id: z.string(),
  package_id: z.string(),
  bundle_id: z.string().nullable(),
  channel: z.string().nullable(),
  created_at: InstantText,
  first_value_at: InstantText.nullable(),
  ended_at: InstantText.nullable(),
});

const Month = z.object({
  month: z.string(),
  plan_id: z.string(),
  active_installs: Count,
  executions: Count,
  money: z.array(OrgMoney),
});

/** Enough to show a life; an org with more keeps its open ones and its newest. */
const MOST_INSTALLS = 500;

/** Rows of a month, one per currency, as one month. */
function monthsOf(rows: readonly OrgRow[]): z.input<typeof Month>[] {
  const months = new Map<string, OrgRow[]>();
  for (const row of rows) {
    if (row.month !== null) months.set(row.month, [...(months.get(row.month) ?? []), row]);
  }
  return [...months].map(([month, of]) => ({
    month,
    plan_id: of[0]?.plan_id ?? 'none',
    active_installs: of[0]?.active_installs ?? 0n,
    executions: of.reduce((sum, { executions }) => sum + executions, 0n),
    money: of.flatMap(moneyOf),
  }));
}

export const getOrg = operation({
  method: 'get',
  path: '/v1/orgs/{orgId}',
  scope: 'metrics:read',
  tag: 'Orgs',
  summary: 'One customer org: plan, money, installs, and the last twelve months',
  params: z.object({ orgId: ForeignId }),
  query: z.strictObject({ as_of: InstantArgument.optional() }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    org: Org,
    months: z.array(Month),
    installs: z.array(Install),
  }),
  problems: ['org_not_found', 'no_run', 'no_run_as_of'],

  async handle({ params, query }, context) {
    return context.services.runs.withRun({ asOf: query.as_of }, async ({ run, reader }) => {
      const { relation } = reader;
      const org = { org: params.orgId };
      const [rows, installs] = await Promise.all([
        reader.query(
          `select ${ORG_COLUMNS} from ${relation}.int_orgs as orgs
           left join ${relation}.org_months as months
             on months.org_id = orgs.org_id
             and months.month > (select max(month) from ${relation}.org_months) - interval 12 month
           where orgs.org_id = $org and not orgs.is_excluded
           order by months.month desc, months.currency`,
          org,
          OrgRow,
        ),
        reader.query(
          `select install_id, package_id, bundle_id, channel, created_at, first_value_at, ended_at
           from ${relation}.int_installs where org_id = $org
           order by ended_at is not null, created_at desc, install_id limit ${MOST_INSTALLS}`,
          org,
          Install,
        ),
      ]);
      const [first, ...others] = rows;
      if (first === undefined) {
        throw new InputError('org_not_found', `there is no org ${params.orgId} in this run`, { status: 404 });
      }
      const reveal = await revealFor(context, [first.name]);
      const latest = others.filter(({ month }) => month === first.month);
      return {
        run_id: run.runId,
        as_of: run.asOf,
        org: { ...orgOf([first, ...latest]), name: reveal(first.name) },
        months: monthsOf(rows),
        installs,
      };
    });
  },
});
