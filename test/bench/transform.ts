import { z } from 'zod';
import { systemClock } from '../../cli/runtime.js';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';
import { startClickHouse } from '../support/clickhouse.js';
import { catalogFile, openCompany } from '../support/company.js';
import { newExecutions } from './event-files.js';
import { seconds, timed, type Figure } from './figure.js';

/** A company's file, how many events it has, and when its story ends. */
export interface CompanyFile {
  readonly file: string;
  readonly lines: number;
  readonly endsAt: string;
}

/** The same on ClickHouse. */
export async function benchClickHouseTransform(company: CompanyFile): Promise<Figure> {
  const clickHouse = await startClickHouse();
  try {
    return await benchTransform(company, 'ClickHouse', (database) => ({
      CLICKHOUSE_URL: clickHouse.url(database),
    }));
  } finally {
    await clickHouse.stop();
  }
}

/** A full build, then one after 1% new; what dbt costs with empty tables is taken off both. */
export async function benchTransform(
  { file, lines, endsAt }: CompanyFile,
  engine = 'DuckDB',
  settingsFor: (database: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<Figure> {
  const emptyMs = await emptyTransformMs(endsAt, settingsFor('empty'));
  const company = await openCompany(undefined, settingsFor('filled'));
  try {
    const { services } = company.runtime;
    await services.publishCatalog(await catalogFile('fleetprompt'), 'bench');
    const ingest = await timed(() => ingestNdjsonFile(file, services.ingest, {}, systemClock()));
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
      name: `transform after 1% new on ${lines.toLocaleString('en-US')}, ${engine}`,
      measured: `${seconds(next.ms - emptyMs)} (${seconds(next.ms)} in all)`,
      floor: `${seconds(full.ms - emptyMs)} full (${seconds(full.ms)} in all)`,
      ratio: ratio.toFixed(2),
      target: engine === 'DuckDB' ? '≤ 0.20' : '',
      isMet: engine === 'DuckDB' ? ratio <= 0.2 : null,
      note: `ingest ${seconds(ingest.ms)}; dbt on empty tables ${seconds(emptyMs)}; full ${JSON.stringify(full.result.timings)}; after 1% new ${JSON.stringify(next.result.timings)}`,
    };
  } finally {
    await company.remove();
  }
}

async function emptyTransformMs(endsAt: string, settings: Readonly<Record<string, string>>): Promise<number> {
  const company = await openCompany(undefined, settings);
  try {
    await company.runtime.services.publishCatalog(await catalogFile('fleetprompt'), 'bench');
    await company.transform(endsAt);
    const { ms } = await timed(() => company.transform(endsAt));
    return ms;
  } finally {
    await company.remove();
  }
}
