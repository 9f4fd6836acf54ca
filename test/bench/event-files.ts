import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { generateCompany } from '../../fixtures/generator/generate-company.js';
import { NO_FAULTS } from '../../fixtures/generator/options.js';
import { catalogFile } from '../support/company.js';

/** Writes a simulated company of about `events` events; the same number gives the same bytes. */
export async function writeCompany(
  file: string,
  events: number,
): Promise<{ lines: number; bytes: number; endsAt: string }> {
  const { catalog } = await catalogFile('fleetprompt');
  const company = generateCompany(catalog, {
    executionsTarget: Math.round(events * 0.47),
    faults: NO_FAULTS,
  });
  const out = createWriteStream(file);
  let lines = 0;
  let bytes = 0;
  for (const chunk of company.chunks()) {
    bytes += chunk.length;
    for (const byte of chunk) if (byte === 10) lines += 1;
    if (!out.write(chunk)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
  return { lines, bytes, endsAt: company.endsAt };
}

/**
 * "1% new": `count` executions of one org in twenty, nine in ten of them in the last two days before `endsAt`, the rest over the
 * sixty days before.
 */
export function newExecutions(count: number, endsAt: string, orgs: readonly string[], tag: string): string[] {
  const end = Date.parse(endsAt);
  const touched = orgs.filter((_, index) => index % 20 === 0);
  const day = 86_400_000;
  return Array.from({ length: count }, (_, index) => {
    const isRecent = index % 10 !== 0;
    const spread = (index * 7919) % 1_000_003;
    const back = isRecent ? (spread / 1_000_003) * 2 * day : 2 * day + (spread / 1_000_003) * 60 * day;
    return JSON.stringify({
      specversion: '1.0',
      id: `bench_${tag}_${index}`,
      source: '/bench',
      type: 'execution.completed',
      subject: touched[index % touched.length],
      time: new Date(Math.floor(end - 1 - back)).toISOString(),
      data: {
        executionId: `bench_${tag}_${index}`,
        packageId: 'client_reporting_autopilot',
        durationMs: 1200 + (index % 900),
        costMicros: 12_000 + (index % 4000),
        currency: 'USD',
        usage: { llm_tokens: String(900 + (index % 500)) },
      },
    });
  });
}
