import { z } from 'zod';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';
import { systemClock } from '../../cli/runtime.js';
import { catalogFile, openCompany } from '../support/company.js';
import { quantile, type Figure } from './figure.js';
import { latencies, startServer, type Call } from './http-load.js';

const PER_SECOND = 200;
const IN_FLIGHT = 32;
export const METRICS = [
  'mrr',
  'arr',
  'new_mrr',
  'expansion_mrr',
  'churned_mrr',
  'contraction_mrr',
  'reactivation_mrr',
  'quick_ratio',
];
const DIMENSIONS = ['', 'segment', 'plan', 'channel', 'country', 'partner'];

/** Over 500 distinct questions: a metric, a breakdown, a window of months. */
function questions(): Call[] {
  const months = Array.from({ length: 24 }, (_, index) => {
    const month = 9 + index;
    return `${2024 + Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}-01`;
  });
  const all = METRICS.flatMap((metric) =>
    DIMENSIONS.flatMap((dimension) =>
      months.slice(0, 12).map((from): Call => {
        const by = dimension === '' ? '' : `&by=${dimension}`;
        return { method: 'GET', path: `/v1/metrics/${metric}?from=${from}&currency=USD${by}` };
      }),
    ),
  );
  // A fixed shuffle, so that neighbours in the list are not neighbours in time.
  return all
    .map((call, index) => ({ call, place: (index * 7919) % 9973 }))
    .sort((a, b) => a.place - b.place)
    .map(({ call }) => call);
}

export async function benchMetricReads(file: string, endsAt: string): Promise<Figure[]> {
  const company = await openCompany();
  await company.runtime.services.publishCatalog(await catalogFile('fleetprompt'), 'bench');
  await ingestNdjsonFile(file, company.runtime.services.ingest, {}, systemClock());
  const run = await company.transform(endsAt);
  z.string().parse(run.runId);
  await company.close();
  const [ours, bare] = [await startServer('headgate', company.directory), await startServer('answer')];
  try {
    const calls = questions();
    const load = { perSecond: PER_SECOND, inFlight: IN_FLIGHT };
    const warm = Array.from({ length: 400 }, (): Call => ({ method: 'GET', path: '/answer' }));
    await latencies(bare, warm, load);
    const first = await latencies(ours, calls, load);
    const later = await latencies(ours, [...calls, ...calls], load);
    const floor = await latencies(
      bare,
      [...calls, ...calls].map((): Call => ({ method: 'GET', path: '/answer' })),
      load,
    );
    const floorMs = quantile(floor, 0.99);
    const figure = (name: string, values: number[]): Figure => {
      const over = quantile(values, 0.99) - floorMs;
      return {
        name: `${name}, ${PER_SECOND}/s, ${calls.length} questions`,
        measured: `p99 ${quantile(values, 0.99).toFixed(1)} ms (p50 ${quantile(values, 0.5).toFixed(1)})`,
        floor: `p99 ${floorMs.toFixed(1)} ms bare Hono`,
        ratio: `+${over.toFixed(1)} ms`,
        target: '≤ +5 ms',
        isMet: over <= 5,
      };
    };
    return [
      { ...figure('GET /v1/metrics, first pass', first), isMet: null },
      figure('GET /v1/metrics', later),
    ];
  } finally {
    await ours.stop();
    await bare.stop();
    await company.remove();
  }
}
