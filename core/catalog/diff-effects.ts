/** Whom a change reaches. */
export type ChangeEffect =
  'new_subscriptions' | 'existing_customers' | 'partners' | 'scores' | 'reports' | 'nobody';

export interface EffectInput {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly section: string;
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

interface Effect {
  readonly effect: ChangeEffect;
  readonly meaning: string;
}

const STAY = 'existing subscriptions keep what they were sold';

const isSold = (section: string) => ['packages', 'bundles', 'plans', 'addons'].includes(section);

/** The first rule that fits says what a change means; the order is from special to general. */
const RULES: readonly {
  readonly fits: (change: EffectInput) => boolean;
  readonly effect: ChangeEffect;
  readonly meaning: (change: EffectInput) => string;
}[] = [
  {
    fits: ({ field }) => /(^|\.)assumed$/.test(field),
    effect: 'reports',
    meaning: ({ after }) =>
      after === 'true' ? 'shown as assumed from now on' : 'no longer shown as assumed',
  },
  {
    fits: ({ section, field, kind }) => isSold(section) && field === '' && kind === 'added',
    effect: 'new_subscriptions',
    meaning: () => 'can be bought from then on, and counts in attach from then on',
  },
  {
    fits: ({ section, field, kind }) => isSold(section) && field === '' && kind === 'removed',
    effect: 'existing_customers',
    meaning: () => 'nobody can buy it any more; customers that hold it keep it and its price',
  },
  {
    fits: ({ section, field }) => isSold(section) && /^(price|discount|discounts)\b/.test(field),
    effect: 'new_subscriptions',
    meaning: (change) => `${direction(change)} for new subscriptions; ${STAY}`,
  },
  {
    fits: ({ section, field }) => isSold(section) && field.startsWith('allowances.'),
    effect: 'new_subscriptions',
    meaning: (change) => `included usage ${direction(change)} for new subscriptions; ${STAY}`,
  },
  {
    fits: ({ section, field }) => isSold(section) && field.startsWith('overage.'),
    effect: 'new_subscriptions',
    meaning: (change) =>
      `overage ${direction(change)} for new subscriptions; ${STAY}, billed periods stay as billed`,
  },
  {
    fits: ({ section, field }) =>
      isSold(section) && /^(minimumCommitment|discountsCoverOverage)\b/.test(field),
    effect: 'new_subscriptions',
    meaning: (change) =>
      `what overages come to ${direction(change)} for new subscriptions; ${STAY}, billed periods stay as billed`,
  },
  {
    fits: ({ section, field }) => isSold(section) && /^(limits|stopPolicy|ownKey)\b/.test(field),
    effect: 'new_subscriptions',
    meaning: () => `a guardrail of new subscriptions; ${STAY}`,
  },
  {
    fits: ({ section, field }) => isSold(section) && field.startsWith('features.'),
    effect: 'new_subscriptions',
    meaning: () => `an entitlement of new subscriptions; ${STAY}`,
  },
  {
    fits: ({ section, field }) => isSold(section) && field.startsWith('trial'),
    effect: 'new_subscriptions',
    meaning: () => 'holds for trials that start from then on',
  },
  {
    fits: ({ section, field }) => isSold(section) && /^(plans|segments|only)\b/.test(field),
    effect: 'reports',
    meaning: () => 'changes who may buy it, and so the denominator of attach, from then on',
  },
  {
    fits: ({ section, field }) => section === 'packages' && field.startsWith('firstValue.within'),
    effect: 'reports',
    meaning: () => 'the target of install to first value; the measured times stay',
  },
  {
    fits: ({ section, field }) => section === 'packages' && field.startsWith('adjacentTo'),
    effect: 'reports',
    meaning: () => 'recommendations, and which expansions count as adjacency, from then on',
  },
  {
    fits: ({ section, field }) => section === 'meters' && field.startsWith('lateUsage'),
    effect: 'existing_customers',
    meaning: () => 'what usage leads to that becomes known after it was billed, for everybody, from then on',
  },
  {
    fits: ({ section }) => section === 'meters',
    effect: 'new_subscriptions',
    meaning: ({ kind, field }) =>
      field === '' && kind === 'removed'
        ? 'not metered for new subscriptions; existing ones are metered as before'
        : `what is counted for new subscriptions; ${STAY}, billed periods stay as billed`,
  },
  {
    fits: ({ section, field }) => section === 'programs' && /^rules\./.test(field),
    effect: 'partners',
    meaning: () => 'holds for payments from then on; lines already earned keep their rate',
  },
  {
    fits: ({ section, field, kind }) => section === 'programs' && field === '' && kind === 'removed',
    effect: 'partners',
    meaning: () => 'its partners earn nothing from then on; lines already earned stay due',
  },
  {
    fits: ({ section }) => section === 'programs',
    effect: 'partners',
    meaning: () => 'terms of partners of this program, from then on',
  },
  {
    fits: ({ section, field }) => section === 'catalog' && field.startsWith('leadScore'),
    effect: 'scores',
    meaning: () => 'every lead is scored anew at the next run',
  },
  {
    fits: ({ section, field }) => section === 'catalog' && field === 'zone',
    effect: 'existing_customers',
    meaning: () => 'billing periods, commission windows and holds are counted in another zone from then on',
  },
  {
    fits: ({ section, field }) => section === 'catalog' && field.startsWith('personal'),
    effect: 'existing_customers',
    meaning: () =>
      'fields that become tokens in events that arrive from then on; what is stored stays as it is',
  },
  {
    fits: ({ section, field }) =>
      section === 'catalog' && /^(reportingCurrency|currencies|minSupport)/.test(field),
    effect: 'reports',
    meaning: () => 'reports are computed with it at the next run',
  },
  {
    fits: ({ section }) => ['targets', 'phases', 'segments', 'channels', 'experiments'].includes(section),
    effect: 'reports',
    meaning: () => 'reports and targets show it at the next run; no customer notices',
  },
  {
    fits: ({ section }) => section === 'features',
    effect: 'existing_customers',
    meaning: () => 'an entitlement by this name means something else; check what asks for it',
  },
];

export function effectOf(change: EffectInput): Effect {
  const rule = RULES.find(({ fits }) => fits(change));
  if (rule === undefined) return { effect: 'nobody', meaning: 'a description; nothing is computed from it' };
  return { effect: rule.effect, meaning: rule.meaning(change) };
}

/** "rises", "falls", or how else it differs; texts like "$49.00" and "10%" are compared by their number. */
function direction({ kind, before, after }: EffectInput): string {
  if (kind === 'added') return 'comes';
  if (kind === 'removed') return 'goes';
  const [was, is] = [numberIn(before), numberIn(after)];
  if (was === null || is === null || was === is) return 'differs';
  return is > was ? 'rises' : 'falls';
}

/** For the word alone, never for an amount; so a float does. */
function numberIn(text: string | null): number | null {
  const digits = (text ?? '').replace(/[^0-9.]/g, '');
  return digits === '' ? null : Number(digits);
}
