import { z } from 'zod';
import { dateIn } from '../../core/calendar.js';
import type { Catalog } from '../../core/catalog.js';
import type { CommissionRule } from '../../core/catalog/partners.js';
import { addDays, addMonths, compareDates, daysBetween, parseDate, parseInstant } from '../../core/time.js';
import type { CalendarDate, Instant } from '../../core/time.js';
import { partnerOf, readReferrals, type Referrals } from './commission-attribution.js';
import { fraction, plus, rounded, times, type Fraction } from './fraction.js';
import { inEventOrder, type StandingEvent } from './standing-events.js';

const Minor = z.union([z.int(), z.string()]).transform((value) => BigInt(value));
const Line = z.object({
  lineId: z.string(),
  kind: z.string(),
  productId: z.string().optional(),
  amountMinor: Minor,
  taxMinor: Minor.optional(),
  periodStart: z.string().optional(),
  periodEnd: z.string().optional(),
});
const Invoice = z.object({ invoiceId: z.string(), totalMinor: Minor, lines: z.array(Line) });
const Cash = z.object({
  invoiceId: z.string(),
  paymentId: z.string().optional(),
  refundId: z.string().optional(),
  disputeId: z.string().optional(),
  outcome: z.string().optional(),
  amountMinor: Minor.optional(),
  lines: z.array(z.object({ lineId: z.string(), amountMinor: Minor })).optional(),
});
const Contract = z.object({ startsAt: z.string() });
const Org = z.object({ flags: z.array(z.string()).optional() });

type InvoiceLine = z.output<typeof Line>;
interface CashEvent {
  readonly event: StandingEvent;
  readonly cash: z.output<typeof Cash>;
}
interface Book {
  readonly orgId: string;
  readonly invoice: z.output<typeof Invoice>;
  readonly cash: CashEvent[];
}

/** What one partner earned on one invoice line in the end, exact; null where the oracle has no opinion (flat fees). */
export interface ExpectedCommission {
  readonly invoiceId: string;
  readonly lineId: string;
  readonly partnerId: string;
  readonly amountMinor: bigint | null;
}

/**
 * Commissions by invoice line and partner as of the events given: exact fractions of the cash kept at the end, one
 * rounding. Lines whose payments fall under different rules or partners are left out: there the order of roundings counts.
 */
export function expectedCommissions(
  events: readonly StandingEvent[],
  catalog: Catalog,
): ExpectedCommission[] {
  const books = readBooks(events);
  const referrals = readReferrals(events);
  const contracts = readContracts(events);
  const firstPayments = new Map<string, StandingEvent>();
  for (const { orgId, cash } of books.values()) {
    for (const { event } of cash.filter((entry) => entry.event.type === 'invoice.paid')) {
      const known = firstPayments.get(orgId);
      if (known === undefined || inEventOrder(event, known) < 0) firstPayments.set(orgId, event);
    }
  }
  return [...books.values()].flatMap((book) => {
    const firstPayment = firstPayments.get(book.orgId);
    if (firstPayment === undefined) return [];
    const scene = { catalog, referrals, firstPayment, contractStart: contracts.get(book.orgId) };
    return book.invoice.lines.flatMap((line) => expectedOfLine(book, line, scene) ?? []);
  });
}

interface Scene {
  readonly catalog: Catalog;
  readonly referrals: Referrals;
  readonly firstPayment: StandingEvent;
  readonly contractStart: string | undefined;
}

function expectedOfLine(book: Book, line: InvoiceLine, scene: Scene): ExpectedCommission | null {
  const decisions = book.cash
    .filter(({ event }) => event.type === 'invoice.paid')
    .map(({ event }) => decisionOf(book, line, event, scene));
  const [decision] = decisions;
  if (decision === undefined || decision === null) return null;
  const { partnerId, ruleId, rule, share } = decision;
  const isOne = decisions.every(
    (other) =>
      other?.partnerId === partnerId &&
      other.ruleId === ruleId &&
      other.share.num * share.den === share.num * other.share.den,
  );
  if (!isOne) return null;
  const place = { invoiceId: book.invoice.invoiceId, lineId: line.lineId, partnerId };
  if (rule.kind === 'flat') return { ...place, amountMinor: null };
  if (rule.kind !== 'percent') return { ...place, amountMinor: 0n };
  const rate = times(share, fraction(BigInt(rule.percent), 1_000_000n));
  return { ...place, amountMinor: rounded(times(keptOn(book, line), rate)) };
}

/** Cash kept on a line at the end, net of tax: its share of what was spread, less what refunds took from it by name. */
function keptOn({ invoice, cash }: Book, line: InvoiceLine): Fraction {
  const grossOf = ({ amountMinor, taxMinor = 0n }: InvoiceLine) => amountMinor + taxMinor;
  const total = invoice.lines.reduce((sum, other) => sum + grossOf(other), 0n);
  let spread = 0n;
  let named = 0n;
  for (const { event, cash: entry } of cash) {
    const amount = entry.amountMinor ?? invoice.totalMinor;
    if (event.type === 'invoice.paid') spread += amount;
    else if (entry.lines === undefined) spread -= amount;
    else for (const taken of entry.lines) if (taken.lineId === line.lineId) named += taken.amountMinor;
  }
  const gross = plus(fraction(spread * grossOf(line), total), fraction(-named));
  return grossOf(line) === 0n ? fraction(0n) : times(gross, fraction(line.amountMinor, grossOf(line)));
}

function decisionOf(book: Book, line: InvoiceLine, payment: StandingEvent, scene: Scene) {
  const { catalog, referrals, firstPayment } = scene;
  const partnerId = partnerOf(book.orgId, payment.at, firstPayment.at, referrals, catalog);
  if (partnerId === undefined) return null;
  const states = referrals.partnerStates.get(partnerId)?.filter(({ at }) => at <= payment.at);
  const state = states?.at(-1)?.state;
  const program = state === undefined ? undefined : catalog.programs[state.programId];
  if (state === undefined || program === undefined) return null;
  const zone = program.zone ?? catalog.zone;
  const rules = Object.entries(program.rules)
    .filter(([, rule]) => covers(rule, line, partnerId, state.tier))
    .filter(([, rule]) => rule.window.kind !== 'first_payment' || payment === firstPayment)
    .sort(([idA, a], [idB, b]) => a.precedence - b.precedence || (idA < idB ? -1 : 1));
  for (const [ruleId, rule] of rules) {
    const share = shareInWindow(rule, line, payment.at, zone, book.orgId, scene);
    if (share.num > 0n) return { partnerId, ruleId, rule, share };
  }
  return null;
}

function covers(
  rule: CommissionRule,
  line: InvoiceLine,
  partnerId: string,
  tier: string | undefined,
): boolean {
  return (
    (rule.product === undefined || rule.product === line.productId) &&
    (rule.partner === undefined || rule.partner === partnerId) &&
    (rule.tier === undefined || rule.tier === tier) &&
    (rule.lineKinds.length === 0 || rule.lineKinds.some((kind) => kind === line.kind))
  );
}

/** Service days inside the rule's window over the line's service days, both counted in the program's zone. */
function shareInWindow(
  { window }: CommissionRule,
  line: InvoiceLine,
  paidAt: Instant,
  zone: string,
  orgId: string,
  { referrals, firstPayment, contractStart }: Scene,
): Fraction {
  if (window.kind !== 'first_months') return fraction(1n);
  const signup = referrals.signups.get(orgId);
  const firstPaid = dateIn(firstPayment.at, zone);
  const anchors = {
    signup: signup === undefined ? firstPaid : dateIn(signup, zone),
    first_payment: firstPaid,
    contract_start: contractStart === undefined ? firstPaid : dayOfText(contractStart, zone),
  };
  const from = anchors[window.anchor ?? 'first_payment'];
  const to = addMonths(from, window.months ?? 0);
  const start = line.periodStart === undefined ? dateIn(paidAt, zone) : dayOfText(line.periodStart, zone);
  const stated = line.periodEnd === undefined ? start : dayOfText(line.periodEnd, zone);
  const end = compareDates(stated, start) > 0 ? stated : addDays(start, 1);
  const later = compareDates(start, from) > 0 ? start : from;
  const earlier = compareDates(end, to) < 0 ? end : to;
  return fraction(BigInt(Math.max(0, daysBetween(later, earlier))), BigInt(daysBetween(start, end)));
}

function dayOfText(text: string, zone: string): CalendarDate {
  return text.length === 10 ? parseDate(text) : dateIn(parseInstant(text), zone);
}

function readBooks(events: readonly StandingEvent[]): Map<string, Book> {
  const books = new Map<string, Book>();
  const excluded = new Set<string>();
  for (const { type, subject, data } of events) {
    if (type === 'invoice.finalized') {
      const invoice = Invoice.parse(data);
      books.set(invoice.invoiceId, { orgId: subject, invoice, cash: [] });
    } else if (type === 'org.upserted') {
      const isOurs = (Org.parse(data).flags ?? []).some((flag) => flag === 'test' || flag === 'internal');
      if (isOurs) excluded.add(subject);
      else excluded.delete(subject);
    }
  }
  for (const { type, data } of events) {
    if (type === 'invoice.voided') books.delete(Cash.parse(data).invoiceId);
  }
  for (const [id, { orgId }] of books) if (excluded.has(orgId)) books.delete(id);
  const seen = new Set<string>();
  for (const event of events) {
    if (!['invoice.paid', 'invoice.refunded', 'dispute.closed'].includes(event.type)) continue;
    const cash = Cash.parse(event.data);
    if (event.type === 'dispute.closed' && cash.outcome !== 'lost') continue;
    const id = cash.paymentId ?? cash.refundId ?? cash.disputeId ?? `${event.source}/${event.id}`;
    if (seen.has(`${cash.invoiceId} ${event.type} ${id}`)) continue;
    seen.add(`${cash.invoiceId} ${event.type} ${id}`);
    books.get(cash.invoiceId)?.cash.push({ event, cash });
  }
  return books;
}

function readContracts(events: readonly StandingEvent[]): Map<string, string> {
  const starts = new Map<string, string>();
  for (const { type, subject, data } of events) {
    if (type !== 'contract.signed') continue;
    const { startsAt } = Contract.parse(data);
    const known = starts.get(subject);
    starts.set(subject, known === undefined || startsAt < known ? startsAt : known);
  }
  return starts;
}
