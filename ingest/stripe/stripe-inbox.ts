import { HeadgateError, InputError, RefusedError, UnavailableError } from '../../core/errors.js';
import { MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import type { CatalogStore } from '../../platform/catalog-store.js';
import { knownError } from '../../platform/known-error.js';
import { Prices } from '../../platform/outbound/stripe/read-price.js';
import type { OwnAccount } from '../../platform/outbound/stripe/own-account.js';
import { transaction, type Sql } from '../../platform/sql/sql.js';
import { ingestBody, type IngestServices } from '../pipeline.js';
import { InboxStore, type InboxRow } from './inbox-store.js';
import { orgOfCustomer } from './linked-customers.js';
import { mirrorOf } from './mirror-invoice.js';
import { kindsOf } from './product-kinds.js';
import { readRow, type Reading } from './read-row.js';
import { keepInvoice, lastTold, newEvents } from './tell-facts.js';
import { customerOf, ToldEvent } from './told-event.js';

export interface InboxDeps {
  readonly own: OwnAccount;
  readonly sql: Sql;
  readonly ingest: IngestServices;
  readonly catalogs: CatalogStore;
  readonly clock: () => Instant;
  readonly onUnexpected: (error: unknown) => void;
  /** Aborted when this process stops: what is not begun is left to the next. */
  readonly signal: AbortSignal;
}

const AT_ONCE = 10;
const FIRST_WAIT = 30n * MICROS_PER_SECOND;
const LONGEST_WAIT = 3_600n * MICROS_PER_SECOND;
/** Of something that nobody foresaw; a Stripe that is away is waited for as long as it takes. */
const MOST_SURPRISES = 8;

/** What Stripe told us, until each of it has become events. It may be worked off by several processes at once, each killed anywhere. */
export class StripeInbox {
  readonly store: InboxStore;
  private readonly prices: Prices;
  private running: Promise<void> = Promise.resolve();
  private isCalled = false;

  constructor(private readonly deps: InboxDeps) {
    this.store = new InboxStore(deps.sql, deps.own.account);
    this.prices = new Prices(deps.own.stripe);
  }

  get own(): OwnAccount {
    return this.deps.own;
  }

  /** Something may be due: looks soon, and says nothing. */
  kick(): void {
    if (this.isCalled) return;
    this.isCalled = true;
    void this.drain().catch(this.deps.onUnexpected);
  }

  /** Takes care of all that is due; whoever comes meanwhile waits for a turn of its own. */
  drain(): Promise<void> {
    const turn = this.running.then(() => {
      this.isCalled = false;
      return this.workOff();
    });
    this.running = turn.catch(() => undefined);
    return turn;
  }

  /** When it returns, nothing is under way. */
  async stop(): Promise<void> {
    await this.running;
  }

  private async workOff(): Promise<void> {
    const { clock } = this.deps;
    while (!this.isStopping()) {
      const rows = await this.store.claim(clock(), AT_ONCE);
      if (rows.length === 0) return;
      for (const row of rows) {
        if (this.isStopping()) return;
        // The rows before it may have taken longer than the claim lasts.
        const own = await this.store.renew(row, clock());
        if (own !== null) await this.takeCareOf(own);
      }
    }
  }

  private isStopping(): boolean {
    return this.deps.signal.aborted;
  }

  private async takeCareOf(row: InboxRow): Promise<void> {
    const { clock, onUnexpected } = this.deps;
    try {
      await this.work(row);
    } catch (error) {
      const known = knownError(error);
      const isForeseen = known instanceof HeadgateError && known.code !== 'invariant_broken';
      if (!isForeseen) onUnexpected(error);
      const problem = isForeseen ? known.message : 'something unexpected went wrong; the log says what';
      if (isHopeless(known, row.attempts)) await this.store.settle(row, 'failed', problem, clock());
      else await this.store.retryAt(row, clock() + waitAfter(row.attempts), problem);
    }
  }

  private async work(row: InboxRow): Promise<void> {
    const { clock } = this.deps;
    if (row.events !== null) {
      await this.emit(row, row.events);
      return;
    }
    const event = ToldEvent.parse(JSON.parse(Buffer.from(row.raw).toString('utf8')));
    const customerId = row.customerId ?? customerOf(event);
    // Nobody's yet: there is no need to ask Stripe for it before it is somebody's.
    if (customerId !== null && (await this.orgOf(customerId)) === null) {
      await this.waitForLink(row, customerId);
      return;
    }
    const askedAt = clock();
    const reading = await this.read(event, askedAt);
    if (reading.outcome === 'nothing') {
      await this.store.settle(row, 'ignored', reading.why, clock());
      return;
    }
    const orgId = await this.orgOf(reading.customerId);
    if (orgId === null) await this.waitForLink(row, reading.customerId);
    else {
      const events = await this.writeDown(row, reading, { orgId, askedAt });
      if (events !== null) await this.emit(row, events);
    }
  }

  private async read(event: ToldEvent, askedAt: Instant): Promise<Reading> {
    const { own, catalogs, sql } = this.deps;
    const catalog = (await catalogs.inForce(askedAt))?.file.catalog ?? null;
    return readRow(event, {
      ...{ stripe: own.stripe, prices: this.prices, account: own.account, askedAt },
      kindOf: kindsOf(catalog),
      lastTold: (objectId) => lastTold(sql.database, own.account, objectId),
    });
  }

  /**
   * Which of it is new, and the bytes of its events: from here on nothing else is ever emitted for this row. Of two that are at it, the
   * second emits what the first wrote down, and takes nothing of what it read itself for told. Null when it is taken care of already.
   */
  private writeDown(
    row: InboxRow,
    { facts, story }: Extract<Reading, { outcome: 'read' }>,
    { orgId, askedAt }: { readonly orgId: string; readonly askedAt: Instant },
  ): Promise<Uint8Array | null> {
    const { account } = this.deps.own;
    return transaction(this.deps.sql, async (database) => {
      const held = await this.store.hold(database, row);
      if (held === null || held.events !== null) return held?.events ?? null;
      if (story !== null) await keepInvoice(database, mirrorOf(story, { account, orgId, askedAt }));
      const events = await newEvents(database, account, facts, { toldBy: row.eventId, subject: orgId });
      await this.store.keepEvents(database, row, events);
      return events;
    });
  }

  private async emit(row: InboxRow, events: Uint8Array): Promise<void> {
    const { ingest, clock } = this.deps;
    const { quarantined } =
      events.length === 0 ? { quarantined: 0 } : await ingestBody(events, 'ndjson', ingest, clock());
    const problem =
      quarantined === 0 ? null : `${quarantined} of its events did not pass: headgate quarantine list`;
    await this.store.settle(row, problem === null ? 'done' : 'failed', problem, clock());
  }

  private waitForLink(row: InboxRow, customerId: string): Promise<void> {
    const problem = `no org is linked to ${customerId}; headgate billing link <org> ${customerId}`;
    return this.store.wait(row, customerId, problem, this.deps.clock());
  }

  private orgOf(customerId: string): Promise<string | null> {
    return orgOfCustomer(this.deps.sql, this.deps.own.account, customerId);
  }
}

/** Whether the same would come of it again. A key that is refused is replaced some day. */
function isHopeless(error: unknown, attempts: number): boolean {
  if (error instanceof UnavailableError) return false;
  if (error instanceof RefusedError) return error.code !== 'stripe_key_refused';
  return error instanceof InputError || attempts >= MOST_SURPRISES;
}

function waitAfter(attempts: number): Instant {
  const wait = FIRST_WAIT * 2n ** BigInt(Math.min(attempts - 1, 10));
  return wait < LONGEST_WAIT ? wait : LONGEST_WAIT;
}
