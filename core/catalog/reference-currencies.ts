import type { Sold } from './products.js';
import type { Path, ReferenceCheck } from './reference-check.js';
import type { Price } from './values.js';

/** All prices are in the first currency; whatever else customers are billed in stands beside them. */
export function checkCurrencies(check: ReferenceCheck): void {
  const { plans, packages, addons, bundles } = check.catalog;
  const sections: Record<string, Readonly<Record<string, Sold & { price?: Price | undefined }>>> = {
    plans,
    packages,
    addons,
    bundles,
  };
  for (const [section, items] of Object.entries(sections)) {
    for (const [id, { price, overage, stopPolicy }] of Object.entries(items)) {
      if (price !== undefined) checkPrice(check, price, [section, id, 'price']);
      for (const [meter, rate] of Object.entries(overage))
        checkPrice(check, rate, [section, id, 'overage', meter]);
      const cap = stopPolicy?.spendCap;
      if (cap !== undefined) checkPrice(check, cap, [section, id, 'stopPolicy', 'spendCap']);
    }
  }
  for (const [id, { minimumCommitment }] of Object.entries(plans)) {
    if (minimumCommitment !== undefined)
      checkPrice(check, minimumCommitment, ['plans', id, 'minimumCommitment']);
  }
  checkGoals(check);
}

interface Priced {
  readonly currency: string;
  readonly otherCurrencies?: readonly { readonly currency: string }[];
}

function checkPrice(check: ReferenceCheck, { currency, otherCurrencies = [] }: Priced, path: Path): void {
  const { currencies } = check.catalog;
  const [primary] = currencies;
  if (currency !== primary) {
    check.report(
      [...path, 'currency'],
      'meaning',
      `prices are written in ${String(primary)}, the first of currencies; others go under otherCurrencies`,
    );
  }
  const seen = new Set<string>();
  for (const [index, other] of otherCurrencies.entries()) {
    const place = [...path, 'otherCurrencies', index, 'currency'];
    if (other.currency === primary || !currencies.includes(other.currency)) {
      check.report(place, 'meaning', `${other.currency} is not one of the catalog's other currencies`);
    } else if (seen.has(other.currency)) {
      check.report(place, 'duplicate', `the price in ${other.currency} stands here twice; remove one`);
    }
    seen.add(other.currency);
  }
}

/** A goal is held against the company's total, which is told in the reporting currency. */
function checkGoals(check: ReferenceCheck): void {
  const { targets, reportingCurrency } = check.catalog;
  for (const [id, target] of Object.entries(targets)) {
    for (const field of ['goal', 'stretch'] as const) {
      const goal = target[field];
      if (goal?.unit !== 'minor' || goal.currency === reportingCurrency) continue;
      check.report(
        ['targets', id, field, 'currency'],
        'meaning',
        `goals are held against reports, which are in ${reportingCurrency}; write this one in it`,
      );
    }
  }
}
