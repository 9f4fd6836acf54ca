import { z } from 'zod';
import { systemClock } from '../../cli/runtime.js';
import { readLiveUsage } from '../../billing/quota/live-usage.js';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';
import { catalogFile, openCompany, type TestCompany } from '../support/company.js';
import { writeOrgs, type WrittenOrgs } from './quota-events.js';
import { quantile, seconds, timed, type Figure } from './figure.js';
import { latencies, startServer, type Call } from './http-load.js';

const PER_SECOND = 5_000;
const IN_FLIGHT = 64;
const SECONDS = 10;
/** Requests to each server before any is measured: what is compared is code that is compiled. */
const WARMED_UP_BY = 4 * PER_SECOND;
/** Distinct questions: orgs and quantities. */
const QUESTIONS = 1_000;
const METER = 'ai_operations';
const COLD_ATTEMPTS = 12;

const Decided = z.looseObject({ reason: z.string() });

/** One org with most of the events among others: checks at a fixed rate, and what its usage costs beside the others'. */
export async function benchQuotaCheck(directory: string, events: number): Promise<Figure[]> {
  const written = await writeOrgs(directory, { events, others: 500, perOther: 200 });
  const company = await openCompany();
  await company.runtime.services.publishCatalog(await catalogFile('frontier'), 'bench');
  await ingestNdjsonFile(written.file, company.runtime.services.ingest, {}, systemClock());
  await company.transform(written.runAsOf);
  // What comes after the run is the tail: the hundredth part again.
  await ingestNdjsonFile(written.tailFile, company.runtime.services.ingest, {}, systemClock());
  const usage = await usageFigures(company, written);
  await company.close();
  try {
    return [...(await checkFigures(company.directory, written)), ...usage];
  } finally {
    await company.remove();
  }
}

function questionsOf({ large, others }: WrittenOrgs): Call[] {
  return Array.from({ length: QUESTIONS }, (_, index): Call => {
    // Every second question is about the large one.
    const org = index % 2 === 0 ? large : (others[index % others.length] ?? large);
    const body = Buffer.from(JSON.stringify({ org, meter: METER, quantity: 1 + index }));
    return { method: 'POST', path: '/v1/quota/check', body };
  });
}

async function checkFigures(directory: string, written: WrittenOrgs): Promise<Figure[]> {
  const [ours, bare] = [await startServer('headgate', directory), await startServer('answer')];
  try {
    const calls = questionsOf(written);
    const load = { perSecond: PER_SECOND, inFlight: IN_FLIGHT };
    const many = Array.from({ length: (PER_SECOND * SECONDS) / calls.length }, () => calls).flat();
    const empty = many.map(({ body }): Call => ({ method: 'POST', path: '/parse', ...(body && { body }) }));
    const cold = await timed(() => untilDecided(ours, calls[0]));
    const first = await latencies(ours, calls, { ...load, perSecond: 200 });
    await latencies(bare, empty.slice(0, WARMED_UP_BY), load);
    await latencies(ours, many.slice(0, WARMED_UP_BY), load);
    const began = performance.now();
    const later = await latencies(ours, many, load);
    const reached = (many.length * 1000) / (performance.now() - began);
    const floorMs = quantile(await latencies(bare, empty, load), 0.99);
    const over = quantile(later, 0.99) - floorMs;
    const said = (values: number[]) =>
      `p99 ${quantile(values, 0.99).toFixed(1)} ms (p50 ${quantile(values, 0.5).toFixed(1)})`;
    return [
      {
        name: 'first decision about the largest org after a start',
        ...{ measured: seconds(cold.ms), floor: '', ratio: '', target: '', isMet: null },
      },
      {
        name: `POST /v1/quota/check, first pass, ${calls.length} questions at 200/s`,
        ...{ measured: said(first), floor: '', ratio: '', target: '', isMet: null },
      },
      {
        name: `POST /v1/quota/check, ${PER_SECOND}/s, ${calls.length} questions`,
        measured: said(later),
        floor: `p99 ${floorMs.toFixed(1)} ms bare Hono`,
        ratio: `+${over.toFixed(1)} ms`,
        target: '≤ +5 ms',
        isMet: over <= 5,
      },
      {
        name: 'answers a second at that rate, the load on the same cores',
        ...{ measured: `${reached.toFixed(0)}/s`, floor: '', ratio: '' },
        target: `≥ ${PER_SECOND}/s`,
        isMet: reached >= PER_SECOND * 0.99,
      },
    ];
  } finally {
    await ours.stop();
    await bare.stop();
  }
}

/**
 * Asks about the large org until it is known: a question waits for ten seconds, and reading goes on after that. A bench of answers that
 * say "unknown" would be of nothing.
 */
async function untilDecided(server: { port: number; key: string }, call: Call | undefined): Promise<void> {
  for (let attempt = 0; attempt < COLD_ATTEMPTS; attempt += 1) {
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/quota/check`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body: call?.body?.toString() ?? '',
    });
    const { reason } = Decided.parse(await response.json());
    if (reason === 'usage_unknown') continue;
    if (reason === 'not_subscribed' || reason === 'not_billed') throw new Error(`quota bench: ${reason}`);
    return;
  }
  throw new Error('quota bench: usage of the large org stays unknown');
}

/** Live usage of one org of usual size, before and after the other orgs have ten times as many events. */
async function usageFigures(company: TestCompany, written: WrittenOrgs): Promise<Figure[]> {
  const { sources } = company.runtime.services.quota;
  const medianOf = async (orgIds: readonly string[]): Promise<number> => {
    const times: number[] = [];
    for (const orgId of orgIds)
      times.push((await timed(() => readLiveUsage(sources, [orgId], systemClock()))).ms);
    return quantile(times, 0.5);
  };
  const [warm, some] = [written.others.slice(0, 5), written.others.slice(5, 35)];
  await medianOf(warm);
  const alone = await medianOf(some);
  await ingestNdjsonFile(written.othersFile, company.runtime.services.ingest, {}, systemClock());
  await company.transform(written.runAsOf);
  await medianOf(warm);
  const among = await medianOf(some);
  return [
    {
      name: 'usage of an org, live',
      ...{ measured: `${alone.toFixed(0)} ms`, floor: '', ratio: '', target: '< 50 ms', isMet: alone < 50 },
    },
    {
      name: 'the same, other orgs with twice the events',
      measured: `${among.toFixed(0)} ms`,
      floor: `${alone.toFixed(0)} ms`,
      ratio: `${(among / alone).toFixed(2)}×`,
      ...{ target: '≤ 1.2×', isMet: among <= alone * 1.2 },
    },
  ];
}
