import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagePath } from '../../platform/package-path.js';

export interface PageText {
  /** As in DASHBOARD_PAGES: '' is the first; a page below another has its path in front. */
  readonly path: string;
  readonly text: string;
}

export function dashboardPages(): PageText[] {
  const folder = packagePath('dashboards', 'pages');
  return readdirSync(folder, { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => ({
      path: name === 'index.md' ? '' : name.slice(0, -'.md'.length),
      text: readFileSync(join(folder, name), 'utf8'),
    }));
}

const BLOCK = /^```sql (\w+)\n([\s\S]*?)^```$/gm;
const INPUT = /\$\{\s*inputs\.(\w+)\.value\s*\}/g;
const CHAINED = /\$\{\s*(\w+)\s*\}/g;

/** A page's queries with these filters ('all' where none is set), each whole: what it is built from stands in it. */
export function queriesOf(
  { text }: PageText,
  inputs: Readonly<Record<string, string>> = {},
): { name: string; sql: string }[] {
  const blocks = new Map([...text.matchAll(BLOCK)].map(([, name = '', sql = '']) => [name, sql.trim()]));
  const whole = (sql: string): string =>
    sql
      .replaceAll(INPUT, (_, name: string) => (inputs[name] ?? 'all').replaceAll("'", "''"))
      .replaceAll(CHAINED, (_, name: string) => {
        const other = blocks.get(name);
        if (other === undefined) throw new Error(`there is no query ${name} on the page`);
        return `(${whole(other)})`;
      });
  return [...blocks].map(([name, sql]) => ({ name, sql: whole(sql) }));
}

/** Names of the filters that a page has. */
export function filtersOf({ text }: PageText): string[] {
  return [...text.matchAll(/<Filter name="(\w+)"/g)].map(([, name = '']) => name);
}
