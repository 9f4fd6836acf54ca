import { readFileSync } from 'node:fs';
import nunjucks from 'nunjucks';
import { packagePath } from '../platform/package-path.js';
import { castText, type TextType } from '../platform/warehouse/cast-text.js';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import type { Stream } from '../core/raw-event.js';

export interface RenderedSql {
  readonly sql: string;
  /** The parameters that the text binds, with their types: what a caller must give. */
  readonly parameters: ReadonlyMap<string, TextType>;
}

/** What a template asks of a run: how its engine speaks, and what its relations are called. */
export type NamedRun = Pick<RunReader, 'dialect' | 'relation' | 'facts' | 'raw'>;

const macros = ['platform/warehouse/sql', 'transforms/macros'];

/**
 * Renders one of our SQL templates, with the macros that dbt renders too, outside dbt.
 *
 * Values never enter the text: `{{ param('month', 'date') }}` leaves a bound parameter behind.
 */
export function renderSql(file: readonly string[], scope: { readonly run: NamedRun }): RenderedSql {
  const parameters = new Map<string, TextType>();
  const environment = new nunjucks.Environment(
    new nunjucks.FileSystemLoader(macros.map((folder) => packagePath(...folder.split('/')))),
    { autoescape: false, throwOnUndefined: true },
  );
  const template = readFileSync(packagePath(...file), 'utf8');
  const sql = environment.renderString(template, {
    target: { type: scope.run.dialect },
    run: scope.run.relation,
    facts: (stream: Stream) => scope.run.facts(stream),
    raw: (stream: Stream) => scope.run.raw(stream),
    param: (name: string, type: TextType) => {
      parameters.set(name, type);
      return castText(scope.run.dialect, `$${name}`, type);
    },
  });
  return { sql, parameters };
}
