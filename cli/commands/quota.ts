import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { tryParseDecimal } from '../../core/decimal.js';
import { countArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showMoney, showQuantity } from '../numbers.js';
import { table } from '../output.js';
import { listText, readList } from '../pages.js';

const Decided = z.looseObject({
  org: z.string(),
  meter: z.string(),
  decision: z.string(),
  reason: z.string(),
  used: z.string().nullable(),
  included: z.string().nullable(),
  left: z.string().nullable(),
  overage: z.string().nullable(),
  overage_amount_minor: z.string().nullable(),
  amount_after_minor: z.string().nullable(),
  currency: z.string().nullable(),
  spend_cap_minor: z.string().nullable(),
  resets_at: z.string().nullable(),
  as_of: z.string().nullable(),
  behind_seconds: z.number().nullable(),
});
type Decided = z.infer<typeof Decided>;

const Choice = z.looseObject({
  org_id: z.string(),
  meter: z.string().nullable(),
  stop: z.string(),
  spend_cap_minor: z.string().nullable(),
  currency: z.string().nullable(),
  effective_at: z.string(),
  chosen_by: z.string(),
  reason: z.string(),
});
type Choice = z.infer<typeof Choice>;

const Alert = z.looseObject({
  created_at: z.string(),
  org_id: z.string(),
  meter: z.string(),
  period_start: z.string(),
  period_end: z.string(),
  threshold_percent: z.number(),
  used: z.string(),
  included: z.string(),
  delivery: z
    .looseObject({ state: z.string(), attempts: z.number(), last_problem: z.string().nullable() })
    .nullable(),
});
type Alert = z.infer<typeof Alert>;

export function addQuotaCommand(program: Command): void {
  const quota = program
    .command('quota')
    .description('limits: whether an org may go on, and what happens when not');
  withExamples(quota, 'headgate quota check org_12 ai_operations', 'headgate quota alerts');
  const check = quota
    .command('check')
    .argument('<org>', 'its id: the subject of its events')
    .argument('<meter>', 'as the catalog names it')
    .option('--quantity <quantity>', 'would so much fit? (default: 1)', quantityArgument)
    .option('--package <package>', 'whose usage it will be')
    .description('whether an org may use a quantity of a meter now')
    .action(checkQuota);
  withExamples(
    check,
    'headgate quota check org_12 ai_operations',
    'headgate quota check org_12 ai_operations --quantity 500',
  );
  const policy = quota
    .command('policy')
    .argument('<org>', 'its id')
    .argument(
      '[stop]',
      'hard, soft, or default (as the catalog says); without it, what was chosen',
      stopArgument,
    )
    .option('--spend-cap <amount>', 'what a soft stop bills at most in a period: "500.00 USD"', capArgument)
    .option('--meter <meter>', 'only this one (default: all that have no choice of their own)')
    .option('--reason <text>', 'why; it is kept on the record')
    .description('what an org chose for when its limits are reached')
    .action(showOrSetPolicy);
  withExamples(
    policy,
    'headgate quota policy org_12',
    'headgate quota policy org_12 soft --spend-cap "500.00 USD" --reason "ticket 4711"',
    'headgate quota policy org_12 hard --meter ai_operations --reason "asked by Ana"',
  );
  const alerts = quota
    .command('alerts')
    .option('--org <org>', 'only of this one')
    .option('--limit <rows>', 'at most so many', countArgument, 50)
    .description('usage thresholds that were passed, the newest first, and whether their messages arrived')
    .action(showAlerts);
  withExamples(alerts, 'headgate quota alerts', 'headgate quota alerts --org org_12 --json');
}

function quantityArgument(text: string): string {
  const quantity = tryParseDecimal(text);
  if (quantity === null || quantity.unscaled <= 0n)
    throw new InvalidArgumentError('Write a quantity above 0, like 500 or 0.5.');
  return text;
}

function stopArgument(text: string): string {
  if (!['hard', 'soft', 'default'].includes(text))
    throw new InvalidArgumentError('Write hard, soft or default.');
  return text;
}

function capArgument(text: string): { amount: string; currency: string } {
  const [, amount, currency] = /^(\d+(?:\.\d+)?) ?([A-Z]{3})$/.exec(text) ?? [];
  if (amount === undefined || currency === undefined)
    throw new InvalidArgumentError('Write an amount and its currency: "500.00 USD".');
  return { amount, currency };
}

async function checkQuota(
  org: string,
  meter: string,
  options: { quantity?: string; package?: string },
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const answer = await client.call(
      { method: 'POST', path: '/v1/quota/check', json: { org, meter, ...options } },
      Decided,
    );
    output.answer(answer, () => describeDecision(answer));
  });
}

function describeDecision(answer: Decided): string {
  const quantity = (text: string | null, none: string): string => (text === null ? none : showQuantity(text));
  const money = (minor: string | null): string =>
    minor === null || answer.currency === null ? '–' : showMoney(BigInt(minor), answer.currency);
  const decided = `${answer.decision} (${answer.reason})`;
  if (answer.used === null) return decided;
  const rows = [
    ['used', quantity(answer.used, '–')],
    ['included', quantity(answer.included, 'no limit')],
    ['left', quantity(answer.left, 'no limit')],
    ['over', `${quantity(answer.overage, '–')}: ${money(answer.overage_amount_minor)}`],
    ...(answer.spend_cap_minor === null ? [] : [['capped at', money(answer.spend_cap_minor)]]),
    ['resets', answer.resets_at ?? '–'],
  ];
  const counted = `counted up to ${answer.as_of ?? '–'}, ${answer.behind_seconds ?? 0} s ago`;
  return [decided, '', table(['', ''], rows), '', counted].join('\n');
}

interface PolicyOptions {
  readonly spendCap?: { readonly amount: string; readonly currency: string };
  readonly meter?: string;
  readonly reason?: string;
}

async function showOrSetPolicy(
  org: string,
  stop: string | undefined,
  { spendCap, meter, reason }: PolicyOptions,
  command: Command,
): Promise<void> {
  const path = `/v1/quota/policies/${encodeURIComponent(org)}`;
  if (stop !== undefined && reason === undefined) {
    command.error(
      'error: say why with --reason: a choice decides what is billed, and is kept with its reason',
    );
  }
  await withClient(command, async (client, { output }) => {
    if (stop === undefined) {
      const answer = await client.call({ path }, z.object({ choices: z.array(Choice) }));
      const none = `${org} chose nothing: the catalog says what happens at its limits`;
      output.answer(answer, () => answer.choices.map(describeChoice).join('\n') || none);
      return;
    }
    const json = { stop, meter, reason, spend_cap: spendCap };
    const chosen = await client.call({ method: 'PUT', path, json }, Choice);
    output.answer(chosen, () => describeChoice(chosen));
  });
}

function describeChoice({ meter, stop, spend_cap_minor: cap, currency, ...choice }: Choice): string {
  const capped =
    cap === null || currency === null ? '' : `, at most ${showMoney(BigInt(cap), currency)} a period`;
  const what = stop === 'default' ? 'as the catalog says' : `${stop} stop${capped}`;
  return `${meter ?? 'all meters'}: ${what}, since ${choice.effective_at} by ${choice.chosen_by} (${choice.reason})`;
}

async function showAlerts(options: { org?: string; limit: number }, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const list = await readList(
      client,
      { path: '/v1/alerts', query: { org: options.org } },
      { rows: 'alerts', row: Alert, limit: options.limit },
    );
    output.answer(list.answer, () => listText(list, alertTable(list.rows), 'no threshold was passed'));
  });
}

function alertTable(alerts: readonly Alert[]): string {
  return table(
    ['at', 'org', 'meter', 'period', 'passed', 'used', 'included', 'message'],
    alerts.map((alert) => [
      alert.created_at,
      alert.org_id,
      alert.meter,
      `${alert.period_start.slice(0, 10)} to ${alert.period_end.slice(0, 10)}`,
      `${alert.threshold_percent}%`,
      showQuantity(alert.used),
      showQuantity(alert.included),
      describeDelivery(alert),
    ]),
    ['left', 'left', 'left', 'left', 'right', 'right', 'right', 'left'],
  );
}

function describeDelivery({ delivery }: Alert): string {
  if (delivery === null) return 'with the higher one';
  const { state, attempts, last_problem: problem } = delivery;
  if (state === 'delivered') return 'delivered';
  return [state.replace('_', ' '), ...(attempts > 0 ? [`after ${attempts}`] : []), problem ?? '']
    .join(' ')
    .trim();
}
