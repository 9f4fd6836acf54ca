import { z } from 'zod';
import { systemClock } from '../../cli/runtime.js';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';
import { catalogFile, openCompany } from '../support/company.js';
import { newExecutions } from './event-files.js';
import { seconds, timed, type Figure } from './figure.js';

/** A full build, then one after 1% new; what dbt costs with empty tables is taken off both. */
export async function benchTransform(file: string, lines: number, endsAt: string): Promise<Figure> {
  const emptyMs = await emptyTransformMs(endsAt);
  const company = await openCompany();
  try {
    const { services } = company.runtime;
    await services.publishCatalog(await catalogFile('fleetprompt'), 'bench');
    await ingestNdjsonFile(file, services.ingest, {}, systemClock());
    const full = await timed(() => company.transform(endsAt));
    const orgs = await services.runs.withRun({}, ({ reader }) =>
      reader.query(
        `select org_id from ${reader.relation}.int_orgs order by org_id`,
        {},
        z.object({ org_id: z.string() }),
      ),
    );
    await company.ingest(
      newExecutions(
        Math.round(lines / 100),
        endsAt,
        orgs.map(({ org_id }) => org_id),
        'first',
      ),
    );
    const next = await timed(() => company.transform(endsAt));
    const ratio = (next.ms - emptyMs) / (full.ms - emptyMs);
    return {
      name: `transform after 1% new on ${lines.toLocaleString('en-US')}`,
      measured: `${seconds(next.ms - emptyMs)} (${seconds(next.ms)} in all)`,
      floor: `${seconds(full.ms - emptyMs)} full (${seconds(full.ms)} in all)`,
      ratio: ratio.toFixed(2),
      target: '≤ 0.20',
      isMet: ratio <= 0.2,
      note: `dbt on empty tables ${seconds(emptyMs)}; full ${JSON.stringify(full.result.timings)}; after 1% new ${JSON.stringify(next.result.timings)}`,
    };
  } finally {
    await company.remove();
  }
}

async function emptyTransformMs(endsAt: string): Promise<number> {
  const company = await openCompany();
  try {
    await company.runtime.services.publishCatalog(await catalogFile('fleetprompt'), 'bench');
    await company.transform(endsAt);
    const { ms } = await timed(() => company.transform(endsAt));
    return ms;
  } finally {
    await company.remove();
  }
}
