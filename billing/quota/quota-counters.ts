import { UnavailableError } from '../../core/errors.js';
import { watermarkJson, type WatermarkVector } from '../../core/raw-event.js';
import { MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import { chunks } from '../../platform/sql/chunks.js';
import { standingsOf, type Standings } from './meter-standing.js';
import { movedOrgs, type MovedOrgs } from './moved-orgs.js';
import { isMovedByTime, orgStateOf, withUsage, type OrgState } from './org-state.js';
import { readLiveTail, readLiveUsage, type LiveSources } from './live-usage.js';

export interface CounterSources extends LiveSources {
  readonly clock: () => Instant;
  /** Changes when what is rated by changed: the current run, the catalog, what orgs chose. */
  readonly rules: () => Promise<string>;
  readonly onError: (error: unknown) => void;
}

/** What is known of an org when it is asked about. */
export interface CountedOrg {
  readonly state: OrgState;
  readonly standings: Standings;
  /** Everything that had come in by then is counted. */
  readonly countedAt: Instant;
}

/** From this age on, what is known is compared with the log again, beside the questions that come. */
const REFRESHED_AFTER = 1n * MICROS_PER_SECOND;
/** Older than this, a question waits for that comparison, if it is soon over. */
const AWAITED_AFTER = 10n * MICROS_PER_SECOND;
/** Nothing older is told, though the warehouse be away. */
const TOLD_UNTIL = 120n * MICROS_PER_SECOND;
/** Orgs that nobody asked about for so long are let go when they would have to be read again. */
const ACTIVE_FOR = 60n * MICROS_PER_SECOND;
/** How long a question waits for what nothing is known of yet. */
const PATIENCE_MS = 10_000;
/** The same where something is known, and said as of when: a large org that is read anew must not hold up everybody. */
const PATIENCE_WITH_KNOWN_MS = 2_000;
const ORGS_KEPT = 2_000;
/** Orgs that one statement reads; their names are bound one by one. */
const ORGS_AT_ONCE = 200;
/** Reading may take at most this part of the time: what costs more is done less often. */
const REST_PER_WORK = 4n;

interface Entry {
  state: OrgState;
  rules: string;
  countedAt: Instant;
  askedAt: Instant;
  standings: Standings | null;
}

/**
 * What orgs have used, in memory: read when first asked about, compared with the log from then on. A cache and nothing more: whatever
 * the order of events, copies, corrections and runs, what it says is what the log says as of `countedAt`.
 */
export class QuotaCounters {
  /** In the order of last use. */
  private readonly orgs = new Map<string, Entry>();
  /** Those who wait to be read, all at once when it is their turn. */
  private wanted: { readonly orgIds: Set<string>; readonly read: Promise<void> } | null = null;
  private refreshing: Promise<void> | null = null;
  /** One thing is read at a time, so that an older reading never replaces a newer one. */
  private queue: Promise<unknown> = Promise.resolve();
  private comparedTo: WatermarkVector | null = null;
  private restUntil: Instant = 0n;

  constructor(private readonly sources: CounterSources) {}

  /** @throws UnavailableError when it can't be known now; RefusedError `no_run`, `no_catalog` */
  async ask(orgId: string, now: Instant): Promise<CountedOrg> {
    let entry = this.orgs.get(orgId);
    // Who is asked about while the log is compared is not let go.
    if (entry !== undefined) entry.askedAt = now;
    if (entry === undefined || now >= entry.state.until) entry = await this.loaded(orgId, entry);
    else if (now - entry.countedAt >= AWAITED_AFTER) await this.awaited(entry, now);
    else if (now - entry.countedAt >= REFRESHED_AFTER && now >= this.restUntil) this.refreshBeside();
    entry = this.orgs.get(orgId) ?? entry;
    entry.askedAt = now;
    this.touch(orgId, entry);
    return { state: entry.state, standings: standingsAt(entry, now), countedAt: entry.countedAt };
  }

  /** Compares everything that is known with the log. */
  refresh(): Promise<void> {
    this.refreshing ??= this.inTurn(() => this.compare()).finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  /** To be called when something was changed that orgs are rated by. */
  forget(orgId: string): void {
    this.orgs.delete(orgId);
  }

  private touch(orgId: string, entry: Entry): void {
    this.orgs.delete(orgId);
    this.orgs.set(orgId, entry);
    for (const [oldest] of this.orgs) {
      if (this.orgs.size <= ORGS_KEPT) return;
      this.orgs.delete(oldest);
    }
  }

  private refreshBeside(): void {
    if (this.refreshing !== null) return;
    this.refresh().catch((error: unknown) => {
      this.sources.onError(error);
    });
  }

  private async awaited(entry: Entry, now: Instant): Promise<void> {
    try {
      await inTime(this.refresh(), PATIENCE_WITH_KNOWN_MS);
    } catch (error) {
      if (now - entry.countedAt >= TOLD_UNTIL) throw error;
    }
  }

  private async loaded(orgId: string, known: Entry | undefined): Promise<Entry> {
    await inTime(this.want(orgId), PATIENCE_MS);
    const entry = this.orgs.get(orgId) ?? known;
    if (entry === undefined) throw new UnavailableError('unavailable', `quota: org ${orgId} was not read`);
    return entry;
  }

  /** Everybody who waits by the time of their turn is read for at once; who comes later waits for the next. */
  private want(orgId: string): Promise<void> {
    if (this.wanted === null) {
      const orgIds = new Set<string>();
      const read = this.inTurn(() => {
        this.wanted = null;
        return this.load([...orgIds]);
      });
      this.wanted = { orgIds, read };
    }
    this.wanted.orgIds.add(orgId);
    return this.wanted.read;
  }

  private async load(orgIds: readonly string[]): Promise<void> {
    for (const some of chunks(orgIds, ORGS_AT_ONCE)) {
      const [rules, now] = [await this.sources.rules(), this.sources.clock()];
      const live = await readLiveUsage(this.sources, some, now);
      this.comparedTo ??= live.until;
      for (const orgId of some) {
        const state = orgStateOf(orgId, live, now);
        const askedAt = this.orgs.get(orgId)?.askedAt ?? now;
        this.touch(orgId, { state, rules, countedAt: now, askedAt, standings: null });
      }
    }
  }

  private async compare(): Promise<void> {
    const { clock, warehouse } = this.sources;
    const began = clock();
    const rules = await this.sources.rules();
    const until = await warehouse.positions();
    const moved =
      this.comparedTo === null || isSame(this.comparedTo, until)
        ? NOBODY
        : await movedOrgs(this.sources, this.comparedTo, until);
    const anew: string[] = [];
    const used: Entry[] = [];
    for (const [orgId, entry] of this.orgs) {
      const isAnew = entry.rules !== rules || began >= entry.state.until || moved.billing.has(orgId);
      const isUsed = moved.usage.has(orgId) || isMovedByTime(entry.state);
      if (!isAnew && !isUsed) entry.countedAt = began;
      else if (began - entry.askedAt > ACTIVE_FOR) this.orgs.delete(orgId);
      else if (isAnew) anew.push(orgId);
      else used.push(entry);
    }
    for (const some of chunks(used, ORGS_AT_ONCE)) anew.push(...(await this.countTail(some, began)));
    await this.load(anew);
    this.comparedTo = until;
    this.restUntil = clock() + (clock() - began) * REST_PER_WORK;
  }

  /** @returns those that a run overtook, to be read anew */
  private async countTail(entries: readonly Entry[], now: Instant): Promise<string[]> {
    const orgIds = entries.map(({ state }) => state.orgId);
    const [first] = entries;
    if (first === undefined) return [];
    const facts = new Map(entries.flatMap(({ state }) => [...state.usage.facts]));
    const windows = entries.flatMap(({ state }) => state.questions.flatMap((question) => question.windows));
    const { runId } = first.state;
    if (entries.some(({ state }) => state.runId !== runId)) return orgIds;
    const read = await readLiveTail(this.sources, orgIds, { runId, windows, facts }, now);
    if (read === null) return orgIds;
    for (const entry of entries) {
      entry.state = withUsage(entry.state, read.usage);
      entry.countedAt = now;
      entry.standings = null;
    }
    return [];
  }

  private inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => undefined);
    return result;
  }
}

const NOBODY: MovedOrgs = { usage: new Set(), billing: new Set() };

function standingsAt(entry: Entry, now: Instant): Standings {
  const { questions, usage } = entry.state;
  if (entry.standings === null || now >= entry.standings.until) {
    entry.standings = standingsOf(questions, usage.now, now);
  }
  return entry.standings;
}

function isSame(a: WatermarkVector, b: WatermarkVector): boolean {
  return JSON.stringify(watermarkJson(a)) === JSON.stringify(watermarkJson(b));
}

/** Reading goes on for who comes next, though nobody waits for it any more. */
async function inTime(work: Promise<void>, patienceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new UnavailableError('unavailable', 'quota: usage is still being read; ask again in a moment'));
    }, patienceMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
