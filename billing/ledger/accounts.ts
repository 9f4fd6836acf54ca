import { z } from 'zod';

export interface Account {
  readonly number: string;
  readonly name: string;
}

/** What the journal books on, with numbers that many charts of accounts have; a company's own take their place. */
export const DEFAULT_ACCOUNTS = {
  cash: { number: '1000', name: 'Cash at Stripe' },
  receivable: { number: '1100', name: 'Accounts receivable' },
  accrued: { number: '1150', name: 'Accrued income: usage that is not invoiced yet' },
  disputed: { number: '1190', name: 'Payments in dispute' },
  customer_credits: { number: '2200', name: 'Owed to customers: taken off their next bill' },
  prepaid: { number: '2300', name: 'Prepaid credits' },
  usage_revenue: { number: '4000', name: 'Usage revenue' },
  commitment_revenue: { number: '4050', name: 'Revenue from minimum commitments' },
  discounts: { number: '4900', name: 'Discounts and caps' },
  credit_notes: { number: '4910', name: 'Credit notes' },
  refunds: { number: '4920', name: 'Refunds' },
  write_offs: { number: '6500', name: 'Write-offs' },
} as const satisfies Readonly<Record<string, Account>>;

export type AccountKey = keyof typeof DEFAULT_ACCOUNTS;

const OwnAccount = z.strictObject({
  number: z.string().min(1).max(40),
  name: z.string().min(1).max(200).optional(),
});

/** A company's own chart: the accounts above that it names, and under `meters` one for the usage of a meter. */
export const ChartOfAccounts = z.strictObject({
  accounts: z
    .strictObject(
      Object.fromEntries(Object.keys(DEFAULT_ACCOUNTS).map((key) => [key, OwnAccount.optional()])) as Record<
        AccountKey,
        z.ZodOptional<typeof OwnAccount>
      >,
    )
    .default({}),
  meters: z.record(z.string().min(1).max(200), OwnAccount).default({}),
});
export type ChartOfAccounts = z.output<typeof ChartOfAccounts>;

export const NO_CHART: ChartOfAccounts = { accounts: {}, meters: {} };

export function accountOf({ accounts, meters }: ChartOfAccounts, key: AccountKey, meterId: string): Account {
  const standard = DEFAULT_ACCOUNTS[key];
  const own = (key === 'usage_revenue' ? meters[meterId] : undefined) ?? accounts[key];
  return { ...standard, ...(own && { number: own.number, name: own.name ?? standard.name }) };
}
