import type { Catalog } from '../../core/catalog.js';
import { table } from '../output.js';
import type { CatalogVersion, Change } from './catalog-answers.js';

/** Longer values (lists, texts) would push everything else off the screen; `--json` has them whole. */
const SHOWN_LENGTH = 60;

/** What is in a catalog, in one line. */
export function describeCatalog(catalog: Catalog): string {
  const sections = [
    'segments',
    'packages',
    'bundles',
    'plans',
    'addons',
    'meters',
    'programs',
    'targets',
  ] as const;
  const counts = sections.map((section) => [Object.keys(catalog[section]).length, section] as const);
  const told = counts.filter(([count]) => count > 0).map(([count, section]) => `${count} ${section}`);
  return `${catalog.name} is well: ${told.join(', ')}`;
}

export function versionTable(versions: readonly CatalogVersion[]): string {
  if (versions.length === 0) return 'nothing is published yet: headgate catalog publish <file>';
  return table(
    ['version', 'catalog', 'published', 'by', 'in force from', 'until'],
    versions.map((version) => [
      String(version.version),
      version.catalog,
      version.published_at,
      version.published_by,
      version.effective_from ?? 'the start',
      version.effective_to ?? 'now',
    ]),
    ['right'],
  );
}

/** What changes, under a sentence for those it touches. */
export function describeChanges(changes: readonly Change[], title: string): string {
  if (changes.length === 0) return `${title}: no difference`;
  const byMeaning = new Map<string, string[]>();
  for (const change of changes) {
    byMeaning.set(change.meaning, [...(byMeaning.get(change.meaning) ?? []), changeLine(change)]);
  }
  const groups = [...byMeaning].map(([meaning, lines]) => [meaning, ...lines].join('\n'));
  return [
    `${title}: ${changes.length} ${changes.length === 1 ? 'difference' : 'differences'}`,
    ...groups,
  ].join('\n\n');
}

function changeLine({ kind, section, id, field, before, after, holders }: Change): string {
  const what = [section, id, field].filter((part) => part !== '').join('.');
  const values = [before, after].map((value) => (value === null ? '–' : shortened(value)));
  const isWhole = before === null && after === null;
  const held = holders === null ? '' : ` (${holders} hold it now)`;
  return `  ${kind.padEnd(7)}  ${what}${isWhole ? '' : `: ${values.join(' → ')}`}${held}`;
}

function shortened(value: string): string {
  return value.length <= SHOWN_LENGTH ? value : `${value.slice(0, SHOWN_LENGTH - 1)}…`;
}
