import { readFileSync } from 'node:fs';
import nunjucks from 'nunjucks';
import { packagePath } from '../package-path.js';
import type { Dialect } from './warehouse.js';

/** The macros that runs are built with, in an order in which each finds those it calls. */
const SOURCES = [
  ['transforms', 'macros', 'portable.sql'],
  ['platform', 'warehouse', 'sql', 'staging.sql'],
  ['platform', 'warehouse', 'sql', 'executions.sql'],
  ['platform', 'warehouse', 'sql', 'live.sql'],
] as const;

const environment = new nunjucks.Environment(null, { autoescape: false, throwOnUndefined: true });
const templates = new Map<string, nunjucks.Template>();
let macros: string | null = null;

/**
 * What a call of a macro gives, outside dbt: the same text that dbt renders for runs.
 *
 * @param call as in a template: `live_executions(live)`
 * @param scope names that the call uses. Values of callers never go in here: they are bound
 */
export function renderMacro(
  call: string,
  dialect: Dialect,
  scope: Readonly<Record<string, unknown>>,
): string {
  let template = templates.get(call);
  if (template === undefined) {
    macros ??= SOURCES.map((path) => readFileSync(packagePath(...path), 'utf8')).join('\n');
    template = new nunjucks.Template(`${macros}\n{{ ${call} }}`, environment);
    templates.set(call, template);
  }
  return template.render({ target: { type: dialect }, ...scope }).trim();
}
