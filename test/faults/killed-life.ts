import { z } from 'zod';
import { Random } from '../../fixtures/generator/random.js';
import { AS_OF, eventsOfOrg, type SentEvent } from './company-events.js';
import { killMoment, PhaseDurations } from './kill-moment.js';
import { LiveServer, ServerGone } from './live-server.js';
import type { Phase } from './phases.js';
import { PointerReader } from './pointer-reader.js';

interface Body {
  readonly kind: 'single' | 'batch' | 'file';
  readonly events: readonly SentEvent[];
}

const EventsAnswer = z.object({ accepted: z.int(), quarantined: z.int() });
const RunAnswer = z.object({ run_id: z.string(), status: z.literal('published') });

/** Phases that only a run goes through. */
const OF_A_RUN: readonly Phase[] = ['export', 'dbt', 'files', 'pointer'];
/** What a client sends in one life. */
const BODIES = 10;
/** Which occurrence of a phase is hit, at most: there are several in a life only of these. */
const LATEST_OCCURRENCE: Partial<Record<Phase, number>> = { append: 8, write: 3 };

/**
 * A company whose server is killed again and again. Events are written down as accepted after the answer, and only then; what got no
 * answer is sent again in a later life, as any client would.
 */
export class KilledLife {
  readonly accepted = new Map<string, SentEvent>();
  private readonly unanswered: Body[] = [];
  private readonly random: Random;
  private readonly durations = new PhaseDurations();
  private readonly reader = new PointerReader();
  private readonly outbox: SentEvent[] = [];
  private orgs = 0;

  constructor(
    private readonly directory: string,
    seed: number,
  ) {
    this.random = new Random(seed);
  }

  /** @returns the phases that the kill hit, usually one; none when it fell between */
  async killedIn(target: Phase): Promise<readonly Phase[]> {
    const occurrence = 1 + this.random.below(LATEST_OCCURRENCE[target] ?? 1);
    const fraction = this.random.below(1000) / 1000;
    let seen = 0;
    let server: LiveServer | null = null;
    const reads: Promise<void>[] = [];
    server = await LiveServer.start(this.directory, {
      onBegin: (phase) => {
        this.durations.began(phase);
        if (phase !== target) return;
        seen += 1;
        if (seen === occurrence)
          killMoment(this.durations.of(phase) * fraction, () => {
            server?.kill();
          });
      },
      onEnd: (phase) => {
        this.durations.ended(phase);
      },
      onProgress: () => {
        if (server !== null) reads.push(unlessGone(this.reader.read(server)));
      },
    });
    await unlessGone(this.reader.read(server));
    await this.live(server, target);
    await Promise.all(reads);
    server.kill();
    return server.death();
  }

  /** A life with an end of its own: what got no answer so far is sent until it does, and one run measures it all. */
  async undisturbed(): Promise<void> {
    const server = await LiveServer.start(this.directory, {
      onBegin: () => undefined,
      onEnd: () => undefined,
      onProgress: () => undefined,
    });
    await this.reader.read(server);
    await this.post(server, BODIES);
    for (const body of this.unanswered.splice(0)) await this.send(server, body);
    await this.transform(server);
    await this.reader.read(server);
    server.kill();
    await server.death();
  }

  /** Distinct runs that readers were answered from. */
  get runsRead(): number {
    return this.reader.runsRead;
  }

  private async live(server: LiveServer, target: Phase): Promise<void> {
    const actors = [this.post(server, BODIES), this.post(server, BODIES)];
    if (target === 'write') actors.push(this.postFiles(server, 4));
    if (OF_A_RUN.includes(target)) actors.push(this.transform(server));
    const outcomes = await Promise.allSettled(actors);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected' && !(outcome.reason instanceof ServerGone)) {
        server.kill();
        throw outcome.reason;
      }
    }
  }

  private async post(server: LiveServer, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      await this.send(server, this.nextBody());
      if (this.random.chance(200_000)) await this.reader.read(server);
    }
  }

  private async postFiles(server: LiveServer, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const events = this.take(this.random.between(300, 800));
      await this.send(server, { kind: 'file', events });
    }
  }

  private nextBody(): Body {
    const old = this.random.chance(500_000) ? this.unanswered.shift() : undefined;
    if (old !== undefined) return old;
    if (this.random.chance(400_000)) return { kind: 'single', events: this.take(1) };
    return { kind: 'batch', events: this.take(this.random.between(2, 120)) };
  }

  private take(count: number): SentEvent[] {
    while (this.outbox.length < count) this.outbox.push(...eventsOfOrg((this.orgs += 1), this.random));
    return this.outbox.splice(0, count);
  }

  private async send(server: LiveServer, body: Body): Promise<void> {
    try {
      const answer = await server.ask(EventsAnswer, ...requestOf(body));
      // A file that a life before took in half is known by its content: only the rest is new.
      if (answer.quarantined !== 0 || (body.kind !== 'file' && answer.accepted !== body.events.length)) {
        throw new Error(`${body.events.length} good events were answered ${JSON.stringify(answer)}`);
      }
      for (const event of body.events) this.accepted.set(event.identity, event);
    } catch (error) {
      if (error instanceof ServerGone) this.unanswered.push(body);
      throw error;
    }
  }

  private async transform(server: LiveServer): Promise<void> {
    const body = JSON.stringify({ as_of: AS_OF });
    const run = await server.ask(RunAnswer, '/v1/runs', { method: 'POST', body, type: 'application/json' });
    this.reader.published(run.run_id);
  }
}

function requestOf(body: Body): [path: string, request: { method: string; body: string; type: string }] {
  const lines = body.events.map(({ line }) => line);
  if (body.kind === 'file') {
    // Its name is of no matter: a file is known by its bytes.
    return [
      '/v1/files?name=events.ndjson',
      { method: 'POST', body: `${lines.join('\n')}\n`, type: 'application/octet-stream' },
    ];
  }
  const text = body.kind === 'single' ? lines.join('') : `[${lines.join(',')}]`;
  return ['/v1/events', { method: 'POST', body: text, type: 'application/json' }];
}

async function unlessGone(read: Promise<void>): Promise<void> {
  try {
    await read;
  } catch (error) {
    if (!(error instanceof ServerGone)) throw error;
  }
}
