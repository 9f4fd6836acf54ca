import { z } from 'zod';
import type { Catalog } from '../../core/catalog.js';
import { parseInstant, type Instant } from '../../core/time.js';
import type { StandingEvent } from './standing-events.js';

const Lead = z.looseObject({
  leadId: z.string(),
  orgId: z.string().optional(),
  companyId: z.string().optional(),
  source: z.string().optional(),
  channel: z.string().optional(),
  status: z.string().optional(),
  attributes: z.record(z.string(), z.unknown()).optional(),
});
const Company = z.looseObject({ companyId: z.string() });
const Activity = z.object({ leadId: z.string(), kind: z.string() });
const Org = z.object({ flags: z.array(z.string()).optional() });

type Known = Readonly<Record<string, unknown>>;
interface Activities {
  readonly kind: string;
  readonly at: Instant;
}

const MICROS_PER_DAY = 86_400_000_000;

/** Score per lead by the catalog's scorecard as of an instant, worked out lead by lead in plain floats. */
export function expectedScores(
  events: readonly StandingEvent[],
  { leadScore }: Catalog,
  asOf: string,
): ReadonlyMap<string, number> {
  const leads = new Map<string, z.output<typeof Lead>>();
  const companies = new Map<string, Known>();
  const activities = new Map<string, Activities[]>();
  const excluded = new Set<string>();
  for (const { type, subject, data, at } of events) {
    if (type === 'lead.upserted') {
      const lead = Lead.parse(data);
      leads.set(lead.leadId, lead);
    } else if (type === 'company.upserted') {
      const company = Company.parse(data);
      companies.set(company.companyId, { ...company, targetAccount: company['targetAccount'] ?? false });
    } else if (type === 'lead.activity') {
      const { leadId, kind } = Activity.parse(data);
      activities.set(leadId, [...(activities.get(leadId) ?? []), { kind, at }]);
    } else if (type === 'org.upserted') {
      const isOurs = (Org.parse(data).flags ?? []).some((flag) => flag === 'test' || flag === 'internal');
      if (isOurs) excluded.add(subject);
      else excluded.delete(subject);
    }
  }
  const counted = [...leads.values()].filter(({ orgId }) => orgId === undefined || !excluded.has(orgId));
  return new Map(
    counted.map((lead) => {
      if (leadScore === undefined) return [lead.leadId, 0];
      const company = lead.companyId === undefined ? {} : (companies.get(lead.companyId) ?? {});
      const sum =
        leadScore.basePoints +
        fitPoints(leadScore, lead, company) +
        engagementPoints(leadScore, activities.get(lead.leadId) ?? [], parseInstant(asOf));
      return [lead.leadId, Math.min(leadScore.maximum, Math.max(leadScore.minimum, sum))];
    }),
  );
}

type Scorecard = NonNullable<Catalog['leadScore']>;

function fitPoints({ fit }: Scorecard, lead: z.output<typeof Lead>, company: Known): number {
  let points = 0;
  for (const rule of Object.values(fit)) {
    const [place = '', name = ''] = rule.field.split('.');
    const holders: Readonly<Record<string, Known>> = { lead, attributes: lead.attributes ?? {}, company };
    const value = holders[place]?.[name];
    if (value !== undefined && value !== null && fits(rule, value)) points += rule.points;
  }
  return points;
}

function fits(rule: Scorecard['fit'][string], value: unknown): boolean {
  if (rule.operator === 'exists') return true;
  if (rule.operator === 'eq') return String(value) === rule.value;
  if (rule.operator === 'in') return rule.values.includes(String(value));
  return rule.operator === 'gte' ? Number(value) >= rule.value : Number(value) <= rule.value;
}

function engagementPoints(card: Scorecard, activities: readonly Activities[], asOf: Instant): number {
  const sums = new Map<string, number>();
  for (const { feature, activity, points, maxPoints } of Object.values(card.engagement)) {
    const worth = activities
      .filter(({ kind }) => kind === activity)
      .map(({ at }) => points * 0.5 ** (Number(asOf - at) / (card.halfLifeDays * MICROS_PER_DAY)))
      .reduce((sum, term) => sum + term, 0);
    sums.set(feature, (sums.get(feature) ?? 0) + Math.min(worth, maxPoints ?? Infinity));
  }
  return [...sums.values()].reduce((sum, worth) => sum + Math.sign(worth) * Math.round(Math.abs(worth)), 0);
}
