import type { LedgerBreak } from './ledger-breaks.js';

/** The command that goes on, once what the message names is mended. */
export function nextStep({
  bill: { billId, orgId, month, state, creditsBillId },
  cause,
}: Pick<LedgerBreak, 'bill' | 'cause'>): string {
  const period = month.slice(0, 7);
  const run = `headgate billing run --period ${period} --customer ${argument(orgId)}`;
  const withdraw = `headgate billing withdraw ${billId} --reason …`;
  // It is taken back and planned anew, as its invoice stands then.
  if (creditsBillId !== null && (state === 'refused' || state === 'blocked')) return run;
  if (state === 'refused')
    return `${run}; or, to bill another customer, headgate billing link ${argument(orgId)} cus_… and ${withdraw}`;
  if (state === 'blocked') return run;
  // What is final can't be mended on the spot: what is missing on it was voided or deleted, and is billed anew.
  if (cause === 'missing') return `${withdraw}, then ${run}`;
  return `headgate billing reconcile --period ${period} --org ${argument(orgId)}`;
}

/** As a shell takes it for one word, whatever somebody calls an org. */
function argument(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
