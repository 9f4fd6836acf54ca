import type { Locator, Page } from 'playwright-core';
import { z } from 'zod';
import { settled } from './settled-page.js';

/** What a person asks of the pages, where the answer stands, and what the API answers to the same. */
export interface TourQuestion {
  readonly question: string;
  /** Below /dashboards. */
  readonly path: string;
  /** The heading that it stands under, as a table. */
  readonly under: RegExp;
  /** As the page says it, from the table's cells. */
  readonly onPage: (rows: readonly (readonly string[])[]) => string[];
  /** As the API says it, brought into the same words here and not by the product. */
  readonly fromApi: (api: Api) => Promise<string[]>;
}

/** GET with a key; POST of SQL. */
export interface Api {
  get<Answer>(path: string, shape: z.ZodType<Answer>): Promise<Answer>;
  sql(sql: string): Promise<string[][]>;
}

export function apiOf(url: string, key: string): Api {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return {
    async get(path, shape) {
      const answer = await fetch(`${url}${path}`, { headers });
      if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
      return shape.parse(await answer.json());
    },
    async sql(sql) {
      const body = JSON.stringify({ sql, format: 'json' });
      const answer = await fetch(`${url}/v1/sql`, { method: 'POST', headers, body });
      if (!answer.ok) throw new Error(`${sql}: ${await answer.text()}`);
      const { rows } = SqlRows.parse(await answer.json());
      return rows.map((row) => Object.values(row).map(String));
    },
  };
}

const SqlRows = z.object({ rows: z.array(z.record(z.string(), z.unknown())) });
const Values = z.object({
  values: z.array(
    z.object({
      currency: z.string().nullable(),
      value: z.string().nullable(),
      numerator: z.string().nullable(),
      dimensions: z.record(z.string(), z.string()),
    }),
  ),
});
type Value = z.output<typeof Values>['values'][number];

/** `12,345.67 USD`, from minor units of a currency with two digits of them. */
const inWords = (minor: bigint, currency: string): string => {
  const cents = String(abs(minor) % 100n).padStart(2, '0');
  return `${minor < 0n ? '-' : ''}${(abs(minor) / 100n).toLocaleString('en')}.${cents} ${currency.replace('reporting:', '')}`;
};
const abs = (value: bigint): bigint => (value < 0n ? -value : value);
const percent = (ppm: string): string => `${(Math.round(Number(ppm) / 1000) / 10).toFixed(1)}%`;

/** The last month that is over, and the currency that a page shows when nobody chose one. */
async function usual(api: Api): Promise<{ month: string; next: string; currency: string }> {
  const [[month = '', next = ''] = []] = await api.sql(
    `select strftime(max(month), '%Y-%m-%d'), strftime(max(month) + interval 1 month, '%Y-%m-%d') from mrr_months where is_complete`,
  );
  const currencies = (await api.sql('select distinct currency from mrr_months order by 1')).flat();
  return {
    month,
    next,
    currency: currencies.find((one) => one.startsWith('reporting:')) ?? currencies[0] ?? '',
  };
}

async function valuesOf(api: Api, metric: string, where: Readonly<Record<string, string>>): Promise<Value[]> {
  const query = new URLSearchParams({ ...where, limit: '10000' });
  return (await api.get(`/v1/metrics/${metric}?${query.toString()}`, Values)).values;
}

export const headingOf = (page: Page, { under }: TourQuestion): Locator =>
  page.getByRole('heading', { level: 2, name: under });

/** What the open page answers to it. */
export async function answerOn(page: Page, question: TourQuestion): Promise<string[]> {
  const title = headingOf(page, question);
  // A table has a copy of its first rows for full screen, which is not shown.
  const table = title.locator('xpath=following::table').filter({ visible: true }).first();
  // Where there is nothing, a sentence stands in the table's place, and the next one is another heading's.
  const isItsOwn =
    (await table.count()) > 0 &&
    (await table.locator('xpath=preceding::h2[1]').innerText()) === (await title.innerText());
  const rows = isItsOwn ? await table.locator('tr:has(td)').all() : [];
  const cells = await Promise.all(rows.map((row) => row.locator('td').allInnerTexts()));
  const filled = cells
    .map((row) => row.map((cell) => cell.trim()))
    .filter((row) => row.some((cell) => cell !== ''));
  return question.onPage(filled);
}

const MOVEMENTS = [
  ['New', 'new_mrr', 1n],
  ['Reactivated', 'reactivation_mrr', 1n],
  ['Expansion', 'expansion_mrr', 1n],
  ['Contraction', 'contraction_mrr', -1n],
  ['Churned', 'churned_mrr', -1n],
  ['At its close', 'mrr', 1n],
] as const;

/** The seven that a founder asks on a Monday. */
export const TOUR: readonly TourQuestion[] = [
  {
    question: 'How much is MRR, and why did it change?',
    path: '',
    under: /^Why it changed/,
    onPage(changes) {
      const known = new Set<string>(MOVEMENTS.map(([name]) => name));
      return changes
        .filter(([name = '']) => known.has(name))
        .map(([name, amount]) => `${name ?? ''} ${amount ?? ''}`);
    },
    async fromApi(api) {
      const { month, next, currency } = await usual(api);
      const lines: string[] = [];
      for (const [name, metric, sign] of MOVEMENTS) {
        const [value] = await valuesOf(api, metric, { from: month, to: next, currency });
        const minor = BigInt(value?.value ?? '0') * sign;
        if (minor !== 0n || metric === 'mrr') lines.push(`${name} ${inWords(minor, currency)}`);
      }
      return lines;
    },
  },
  {
    question: 'Is install-to-value on target?',
    path: 'targets',
    under: /^Against the plan/,
    onPage(targets) {
      return targets
        .filter(([, metric]) => CLOCKS.has(metric ?? ''))
        .map(
          ([status = '', metric = '', member = '']) =>
            `${metric} ${member === '-' ? 'all' : member} ${status}`,
        )
        .sort();
    },
    async fromApi(api) {
      const { targets } = await api.get('/v1/targets?limit=500', Targets);
      return targets
        .filter(({ metric }) => CLOCKS.has(metric))
        .map(({ metric, member, status }) => `${metric} ${member ?? 'all'} ${status}`)
        .sort();
    },
  },
  {
    question: 'Which package attaches best?',
    path: 'packages',
    under: /^Which attaches best/,
    onPage(packages) {
      return packages.slice(0, 3).map(([name = '', , , share = '']) => `${name} ${share}`);
    },
    async fromApi(api) {
      const { month, next } = await usual(api);
      const values = await valuesOf(api, 'item_attach', {
        from: month,
        to: next,
        'where[item_kind]': 'package',
      });
      return values
        .filter(({ value }) => value !== null)
        .sort(
          (a, b) =>
            Number(b.value) - Number(a.value) ||
            ((a.dimensions['item_id'] ?? '') < (b.dimensions['item_id'] ?? '') ? -1 : 1),
        )
        .slice(0, 3)
        .map(({ dimensions, value }) => `${dimensions['item_id'] ?? ''} ${percent(value ?? '')}`);
    },
  },
  {
    question: 'Who must be called?',
    path: 'sales',
    under: /^Who to call first/,
    onPage(leads) {
      return leads
        .slice(0, 5)
        .map(([lead = '', grade = '', score = '']) => `${lead} ${grade} ${score.replace(' (assumed)', '')}`);
    },
    async fromApi(api) {
      const { leads } = await api.get('/v1/leads?limit=5', Leads);
      return leads.map(({ lead_id, grade, score }) => `${lead_id} ${grade} ${score}`);
    },
  },
  {
    question: 'Which partner is owed what?',
    path: 'partners',
    under: /^Who is owed what/,
    onPage(owed) {
      return owed
        .filter(([, due]) => due !== '–')
        .map(([partner = '', due = '']) => `${partner} ${due}`)
        .sort();
    },
    async fromApi(api) {
      const due = new Map<string, bigint>();
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page = await api.get(`/v1/commissions?status=due&limit=500${more}`, Commissions);
        for (const { partner_id, currency, amount_minor } of page.commissions) {
          const key = `${partner_id} ${currency}`;
          due.set(key, (due.get(key) ?? 0n) + BigInt(amount_minor));
        }
        cursor = page.next_cursor;
      }
      return [...due]
        .map(([key, minor]) => `${key.split(' ')[0] ?? ''} ${inWords(minor, key.split(' ')[1] ?? '')}`)
        .sort();
    },
  },
  {
    question: 'Which tenants lose us money?',
    path: 'customers',
    under: /^Who loses us money/,
    onPage(losing) {
      return losing.slice(0, 5).map(([customer = '', , , , margin = '']) => `${customer} ${margin}`);
    },
    async fromApi(api) {
      const { month, next } = await usual(api);
      const values = await valuesOf(api, 'org_margin', { from: month, to: next });
      return values
        .map(({ dimensions, numerator, currency }) => ({
          org: dimensions['org_id'] ?? '',
          minor: BigInt(numerator ?? '0'),
          currency: currency ?? '',
        }))
        .filter(({ minor }) => minor < 0n)
        .sort((a, b) => Number(a.minor - b.minor) || (a.org < b.org ? -1 : 1))
        .slice(0, 5)
        .map(({ org, minor, currency }) => `${org} ${inWords(minor, currency)}`);
    },
  },
  {
    question: 'What will be billed?',
    path: 'finance',
    under: /^What will be billed/,
    onPage(open) {
      return open.map(([, lines = '', amount = '']) => `${lines} lines ${amount}`);
    },
    async fromApi(api) {
      const open = await api.sql(
        'select currency, count(*), sum(overage_minor) from usage_periods where is_open and overage_minor > 0 group by currency order by currency',
      );
      return open.map(
        ([currency = '', lines = '', minor = '0']) => `${lines} lines ${inWords(BigInt(minor), currency)}`,
      );
    },
  },
];

const CLOCKS = new Set(['median_seconds_to_first_value', 'median_seconds_to_activation']);
const Targets = z.object({
  targets: z.array(z.object({ metric: z.string(), member: z.string().nullable(), status: z.string() })),
});
const Leads = z.object({
  leads: z.array(
    z.object({ lead_id: z.string(), grade: z.string(), score: z.union([z.string(), z.number()]) }),
  ),
});
const Commissions = z.object({
  commissions: z.array(z.object({ partner_id: z.string(), currency: z.string(), amount_minor: z.string() })),
  next_cursor: z.string().nullable(),
});

/** Opens a page of the dashboards and waits until all of it is there. */
export async function openPage(
  page: Page,
  url: string,
  path: string,
  filters: Readonly<Record<string, string>> = {},
): Promise<void> {
  const query = new URLSearchParams(filters).toString();
  await page.goto(`${url}/dashboards/${path}${path === '' ? '' : '/'}${query === '' ? '' : `?${query}`}`);
  await settled(page);
}
