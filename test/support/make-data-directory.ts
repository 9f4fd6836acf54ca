import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { WORKED_CASE_AS_OF } from '../../fixtures/worked-case.js';
import { packagePath } from '../../platform/package-path.js';
import { packDirectory } from './data-directory-archive.js';
import { openWorkedCompany } from './worked-company.js';

/*
 * Makes the data directory that later versions must be able to open: the worked case, its catalog, and one published run. Once for each
 * disk format, with the version that introduced it: npx tsx test/support/make-data-directory.ts
 */
const company = await openWorkedCompany();
await company.transform(WORKED_CASE_AS_OF);
await company.close();
// Scratch that any version makes anew.
for (const name of ['dbt', 'tmp', 'events-1.ndjson']) {
  rmSync(join(company.directory, name), { recursive: true, force: true });
}
await packDirectory(company.directory, packagePath('fixtures', 'data-directory-v1.tar.br'));
await company.remove();
