import { WORKED_CASE_CATALOG } from '../../fixtures/worked-case-catalog.js';
import { WORKED_CASE_LINES } from '../../fixtures/worked-case.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import { openCompany, type TestCompany } from './company.js';

/** A company that holds the worked case, not yet measured. */
export async function openWorkedCompany(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestCompany> {
  const company = await openCompany(undefined, settings);
  const reading = readCatalogText(JSON.stringify(WORKED_CASE_CATALOG), 'worked-case.json');
  if (!reading.ok) throw new Error(`the worked catalog does not read: ${JSON.stringify(reading.problems)}`);
  await company.runtime.services.publishCatalog(reading.file, 'test');
  await company.ingest(WORKED_CASE_LINES);
  return company;
}
