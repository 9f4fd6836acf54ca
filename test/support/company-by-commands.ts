import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { WORKED_CASE_AS_OF, WORKED_CASE_LINES } from '../../fixtures/worked-case.js';
import { WORKED_CASE_CATALOG } from '../../fixtures/worked-case-catalog.js';
import { headgate, type Ended } from './command-line.js';

/** Beside the worked case: two leads to list, and two lines that do not pass. */
const MORE_LINES: readonly string[] = [
  lead('lead_1', 'first@example.com'),
  lead('lead_2', 'second@example.com'),
  '{"specversion":"1.0","id":"bad-1","source":"/product/app","type":"install.creatd","subject":"org_ada"}',
  'this is not JSON',
];

function lead(leadId: string, email: string): string {
  return JSON.stringify({
    specversion: '1.0',
    id: leadId,
    source: '/crm',
    type: 'lead.upserted',
    subject: leadId,
    time: '2026-03-01T09:00:00Z',
    data: { leadId, source: 'web', email, createdAt: '2026-03-01T09:00:00Z' },
  });
}

/** The files of the worked company, in a folder of the caller's. */
export function writeWorkedFiles(folder: string): { events: string; catalog: string } {
  const [events, catalog] = [join(folder, 'events.ndjson'), join(folder, 'catalog.yaml')];
  writeFileSync(events, [...WORKED_CASE_LINES, ...MORE_LINES, ''].join('\n'));
  writeFileSync(catalog, stringify(WORKED_CASE_CATALOG));
  return { events, catalog };
}

/** Builds the worked company with the commands that a person would type; gives what each of them answered. */
export async function makeWorkedCompany(folder: string): Promise<Ended[]> {
  const { events, catalog } = writeWorkedFiles(folder);
  const commands = [
    ['ingest', events],
    ['catalog', 'publish', catalog],
    ['transform', '--as-of', WORKED_CASE_AS_OF.slice(0, 10)],
  ];
  const answers: Ended[] = [];
  for (const command of commands) answers.push(await headgate(command, { cwd: folder }));
  return answers;
}
