import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventBodies, postBatch, postSingle } from './event-posts.js';
import type { Figure } from './figure.js';
import { startServer, throughput, type Call } from './http-load.js';

/** Batches of 1,000 with durable answers, beside an endpoint that only parses the JSON. */
export async function benchBatches(): Promise<Figure> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
  const bodies = eventBodies(1000, 40, 'http');
  const [ours, bare] = [await startServer('headgate', directory), await startServer('parse')];
  try {
    const load = { inFlight: 4, forMs: 6000 };
    const toUs = bodies.map(postBatch);
    const toBare = bodies.map((body): Call => ({ method: 'POST', path: '/parse', body }));
    await throughput(ours, toUs, { inFlight: 4, forMs: 2000 });
    await throughput(bare, toBare, { inFlight: 4, forMs: 1000 });
    const rate = await throughput(ours, toUs, load);
    const floor = await throughput(bare, toBare, load);
    return {
      name: 'POST /v1/events, batches of 1,000',
      measured: `${Math.round(rate * 1000).toLocaleString('en-US')} events/s`,
      floor: `${Math.round(floor * 1000).toLocaleString('en-US')} events/s parsed`,
      ratio: `${(rate / floor).toFixed(3)} of it`,
      target: '≥ 0.125',
      isMet: rate / floor >= 0.125,
    };
  } finally {
    await ours.stop();
    await bare.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Single events at 32 in flight, beside an endpoint that appends the body to a file and fdatasyncs. */
export async function benchSingles(): Promise<Figure> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
  const floorDirectory = mkdtempSync(join(tmpdir(), 'headgate-floor-'));
  const bodies = eventBodies(1, 2000, 'http');
  const [ours, bare] = [
    await startServer('headgate', directory),
    await startServer('append', join(floorDirectory, 'log')),
  ];
  try {
    const load = { inFlight: 32, forMs: 4000 };
    const toUs = bodies.map(postSingle);
    const toBare = bodies.map((body): Call => ({ method: 'POST', path: '/append', body }));
    await throughput(ours, toUs, { inFlight: 32, forMs: 2000 });
    await throughput(bare, toBare, { inFlight: 32, forMs: 1000 });
    // Turn by turn: a disk's mood changes from second to second, and both should meet the same ones.
    const [rates, floors]: [number[], number[]] = [[], []];
    for (let round = 0; round < 3; round += 1) {
      rates.push(await throughput(ours, toUs, load));
      floors.push(await throughput(bare, toBare, load));
    }
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [rate, floor] = [mean(rates), mean(floors)];
    return {
      name: 'POST /v1/events, single events, 32 in flight',
      measured: `${Math.round(rate).toLocaleString('en-US')}/s`,
      floor: `${Math.round(floor).toLocaleString('en-US')}/s append + fdatasync`,
      ratio: `${(rate / floor).toFixed(2)} of it`,
      target: '≥ 0.50',
      isMet: rate / floor >= 0.5,
    };
  } finally {
    await ours.stop();
    await bare.stop();
    rmSync(directory, { recursive: true, force: true });
    rmSync(floorDirectory, { recursive: true, force: true });
  }
}
