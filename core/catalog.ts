import { z } from 'zod';
import { Accountability, Channel, Experiment, Phase, RevenueMix, Segment, Target } from './catalog/market.js';
import { Program } from './catalog/partners.js';
import { Addon, Bundle, Feature, Package, Plan, ReadinessGate } from './catalog/products.js';
import { explainIssues, type CatalogProblem } from './catalog/problems.js';
import { checkReferences } from './catalog/references.js';
import { LeadScore } from './catalog/scores.js';
import { Meter } from './catalog/usage.js';
import { CurrencyCode, Day, Id, InstantText, Text, Zone } from './catalog/values.js';

/**
 * Go-to-market as code: what is sold, to whom, at which price, through which channels and partners, and the
 * numbers the plan promises. One file, strict: an unknown field is an error, never ignored.
 *
 * Things are maps keyed by id, so that a path like `plans.growth.allowances.ops` names a place for people.
 * Amounts are decimal strings in the MAJOR unit with their currency. `assumed: true` marks what the plan of
 * the company leaves open.
 */
export const Catalog = z.strictObject({
  catalog: Id,
  name: Text,
  summary: Text.optional(),
  /** Periods, commission windows and holds are counted in this zone. Months of reports are UTC. */
  zone: Zone,
  /** Prices are in the first; customers may be billed in any of these. */
  currencies: z.array(CurrencyCode).min(1),
  reportingCurrency: CurrencyCode,
  /** Month 1 of the phases begins on this day. */
  launchedOn: Day.optional(),
  /** From when this version rules. Default: the first from the start, later ones from when published. */
  effectiveFrom: InstantText.optional(),
  /** Adjacency shows pairs that at least so many orgs support. */
  minSupport: z.int().positive().default(20),
  /** Personal data beyond the event schemas: keys of lead attributes, and fields of our own in other events. */
  personal: z
    .strictObject({
      attributes: z.array(z.string().min(1).max(64)).default([]),
      fields: z
        .array(
          z.strictObject({
            eventType: z.string().regex(/^[a-z_]+\.[a-z_]+$/, 'expected an event type like org.upserted'),
            path: z.string().min(1).max(200),
          }),
        )
        .default([]),
    })
    .default({ attributes: [], fields: [] }),
  segments: z.record(Id, Segment),
  channels: z.record(Id, Channel).default({}),
  features: z.record(Id, Feature).default({}),
  meters: z.record(Id, Meter).default({}),
  packages: z.record(Id, Package).default({}),
  readinessGate: ReadinessGate.optional(),
  bundles: z.record(Id, Bundle).default({}),
  plans: z.record(Id, Plan).default({}),
  addons: z.record(Id, Addon).default({}),
  programs: z.record(Id, Program).default({}),
  leadScore: LeadScore.optional(),
  experiments: z.record(Id, Experiment).default({}),
  phases: z.record(Id, Phase).default({}),
  targets: z.record(Id, Target).default({}),
  revenueMix: RevenueMix.optional(),
  accountability: z.array(Accountability).default([]),
});
export type Catalog = z.output<typeof Catalog>;

export type CatalogResult =
  | { readonly ok: true; readonly catalog: Catalog }
  | { readonly ok: false; readonly problems: readonly CatalogProblem[] };

/** Reads a parsed document as a catalog: its shape first, then what it refers to. */
export function parseCatalog(document: unknown): CatalogResult {
  const parsed = Catalog.safeParse(document);
  if (!parsed.success) return { ok: false, problems: explainIssues(parsed.error.issues, Catalog, document) };
  const problems = checkReferences(parsed.data);
  return problems.length === 0 ? { ok: true, catalog: parsed.data } : { ok: false, problems };
}

/** For editors: the JSON Schema of the file as it is written, before defaults. */
export function catalogJsonSchema(): Record<string, unknown> {
  return {
    title: 'Headgate catalog',
    ...z.toJSONSchema(Catalog, { io: 'input', unrepresentable: 'any' }),
  };
}
