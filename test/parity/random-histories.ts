import fc from 'fast-check';
import type { Catalog } from '../../core/catalog.js';
import { happeningsOf, MONTHS, type Data, type Happening } from './random-happenings.js';

/** In the middle of a month and of a day, with things happening at that very instant and after it. */
export const HISTORIES_AS_OF = '2026-06-16T12:34:56Z';

/** Ids in which text functions of engines like to differ: quotes, slashes, backslashes, letters beyond ASCII. */
const ODD = ["o'brien", 'a/b\\c', '"quoted"', 'straße', '組織', 'x y', '{}', 'ö', 'O', '%_'] as const;
const SOURCES = ['/billing', '/app', 'crm://"odd\\source"'] as const;

interface Sent extends Happening {
  readonly id: string;
  readonly source: string;
}

/** The fault that sends an identity a second time with other content. */
const CONFLICT = 2;

/** A line, and with it what may go wrong: sent twice, sent again with other content, voided, amended, the void voided. */
function withFaults(org: string, sent: Sent, fault: number): string[] {
  const line = (event: Sent): string =>
    JSON.stringify({ specversion: '1.0', subject: org, ...event, data: event.data });
  const correction = (id: string, type: string, target: Sent, more: Data = {}): Sent => ({
    id: `${sent.id}-${id}`,
    source: sent.source,
    type,
    time: sent.time,
    data: { targetType: target.type, targetSource: target.source, targetId: target.id, reason: id, ...more },
  });
  const voided = correction('void', 'event.voided', sent);
  if (fault === 1) return [line(sent), line(sent)];
  if (fault === CONFLICT)
    return [line({ ...sent, data: { ...sent.data, note: 'again, otherwise' } }), line(sent)];
  if (fault === 3) return [line(voided), line(sent)];
  if (fault === 4) {
    const data = { ...sent.data, note: 'amended' };
    return [line(correction('amend', 'event.amended', sent, { data })), line(sent)];
  }
  if (fault === 5) {
    const stream = streamOf(sent.type);
    const back = correction('unvoid', 'event.voided', voided, { targetStream: stream });
    return [line(sent), line(back), line(voided)];
  }
  return [line(sent)];
}

function streamOf(type: string): string {
  if (type.startsWith('execution.')) return 'executions';
  if (/^(subscription|invoice|dispute)\./.test(type)) return 'billing';
  return /^(lead|company|referral|workspace)\./.test(type) ? 'crm' : 'installs';
}

/** Events of the whole company that the orgs' need: rates, partners. */
function companyEvents(catalog: Catalog): string[] {
  const rates = [...MONTHS, '2026-08', '2026-09'].flatMap((month) =>
    ['01', '08', '15', '22', '28'].flatMap((day, index) =>
      [
        ['EUR', '1.0837'],
        ['JPY', '0.00671'],
      ].map(([base, rate]) => ({
        id: `fx-${base ?? ''}-${month}-${day}`,
        source: '/finance',
        type: 'fx.rate_published',
        subject: 'company',
        time: `${month}-${day}T00:00:00Z`,
        data: { base, quote: 'USD', rate: `${rate ?? ''}${index}`, date: `${month}-${day}`, source: 'bank' },
      })),
    ),
  );
  const partners = ['par_1', 'par_2'].map((partnerId, index) => ({
    id: partnerId,
    source: '/partners',
    type: 'partner.enrolled',
    subject: partnerId,
    time: '2026-01-01T00:00:00Z',
    data: {
      partnerId,
      programId: Object.keys(catalog.programs)[0],
      kind: index === 0 ? 'reseller' : 'influencer',
    },
  }));
  return [...rates, ...partners].map((event) => JSON.stringify({ specversion: '1.0', ...event }));
}

/**
 * Random histories of many orgs as one company's lines: many small cases for the price of one build. Conflicts are the one fault
 * after which the order of the lines counts.
 */
export function randomHistories(
  catalog: Catalog,
  seed: number,
  orgs: number,
  { withConflicts = true }: { withConflicts?: boolean } = {},
): string[] {
  const names = Array.from({ length: orgs }, (_, n) => `${ODD[n % ODD.length] ?? 'org'}_${n}`);
  const lines = names.flatMap((org, n) => {
    const history = fc.array(
      fc.record({
        happenings: happeningsOf(catalog, String(n)),
        fault: fc.nat(30).filter((fault) => withConflicts || fault !== CONFLICT),
        source: fc.constantFrom(...SOURCES),
      }),
      { minLength: 1, maxLength: 30, size: 'max' },
    );
    const [drawn = []] = fc.sample(history, { numRuns: 1, seed: seed + n });
    return drawn.flatMap(({ happenings, fault, source }, index) =>
      happenings.flatMap((happening, part) =>
        withFaults(org, { ...happening, id: `e${n}/${index}.${part}"\\`, source }, fault),
      ),
    );
  });
  return [...companyEvents(catalog), ...lines];
}
