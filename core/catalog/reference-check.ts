import type { Catalog } from '../catalog.js';
import { didYouMean } from '../suggest.js';
import type { CatalogProblem } from './problems.js';

export type Path = readonly (string | number)[];

/** Things that can be referred to, and how an error names one. */
const SECTION_NOUNS = {
  segments: 'segment',
  features: 'feature',
  meters: 'meter',
  packages: 'package',
  bundles: 'bundle',
  plans: 'plan',
  addons: 'add-on',
  phases: 'phase',
  channels: 'channel',
} as const;
type Section = keyof typeof SECTION_NOUNS;

/** Collects problems; `refer` checks one reference and suggests the nearest id. */
export class ReferenceCheck {
  readonly problems: CatalogProblem[] = [];

  constructor(readonly catalog: Catalog) {}

  report(
    path: Path,
    code: CatalogProblem['code'],
    message: string,
    at: CatalogProblem['at'] = 'value',
  ): void {
    this.problems.push({ path, code, message, at });
  }

  refer(section: Section, id: string, path: Path, at: CatalogProblem['at'] = 'value'): boolean {
    const known = this.catalog[section];
    if (Object.hasOwn(known, id)) return true;
    const noun = SECTION_NOUNS[section];
    this.report(
      path,
      'unknown_reference',
      `unknown ${noun} "${id}"${didYouMean(id, Object.keys(known))}`,
      at,
    );
    return false;
  }

  /** A list of references: each known, none twice. */
  referAll(section: Section, ids: readonly string[] | undefined, path: Path): void {
    for (const [index, id] of (ids ?? []).entries()) {
      this.refer(section, id, [...path, index]);
      if (ids?.indexOf(id) !== index) {
        this.report([...path, index], 'duplicate', `"${id}" is listed twice; remove one`);
      }
    }
  }

  /** A map whose keys are references. */
  referKeys(section: Section, map: Readonly<Record<string, unknown>>, path: Path): void {
    for (const id of Object.keys(map)) this.refer(section, id, [...path, id], 'key');
  }
}
