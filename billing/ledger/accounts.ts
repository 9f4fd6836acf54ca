import { z } from 'zod';

export interface Account {
  readonly number: string;
  readonly name: string;
}

const ACCOUNT_KEYS = [
  'cash',
  'receivable',
  'accrued',
  'disputed',
  'customer_credits',
  'prepaid',
  'usage_revenue',
  'commitment_revenue',
  'discounts',
  'credit_notes',
  'refunds',
  'write_offs',
] as const;
export type AccountKey = (typeof ACCOUNT_KEYS)[number];

/** What the journal books on, with numbers that many charts of accounts have; a company's own take their place. */
export const DEFAULT_ACCOUNTS: Readonly<Record<AccountKey, Account>> = {
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
};

const OwnAccount = z.strictObject({
  number: z.string().min(1).max(40),
  name: z.string().min(1).max(200).optional(),
});

/** A company's own chart: the accounts above that it names, and under `meters` one for the usage of a meter. */
export const ChartOfAccounts = z.strictObject({
  accounts: z.partialRecord(z.enum(ACCOUNT_KEYS), OwnAccount).default({}),
  meters: z.record(z.string().min(1).max(200), OwnAccount).default({}),
});
export type ChartOfAccounts = z.output<typeof ChartOfAccounts>;

export const NO_CHART: ChartOfAccounts = { accounts: {}, meters: {} };

export function accountOf({ accounts, meters }: ChartOfAccounts, key: AccountKey, meterId: string): Account {
  const standard = DEFAULT_ACCOUNTS[key];
  const own = (key === 'usage_revenue' ? meters[meterId] : undefined) ?? accounts[key];
  return { ...standard, ...(own && { number: own.number, name: own.name ?? standard.name }) };
}
