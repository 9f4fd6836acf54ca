import { InputError, RefusedError } from '../../core/errors.js';
import { formatMoney, type Money } from '../../core/money.js';
import type { Instant } from '../../core/time.js';
import type { AuditLog } from '../../platform/audit-log.js';
import type { Sql } from '../../platform/sql/sql.js';
import type { Scope } from '../held-scopes.js';
import type { OverageQuestion } from '../overage-plan.js';
import { catalogCap, stopChoicesOf } from '../overage-terms.js';
import { requireKnownOrg } from './org-state.js';
import type { QuotaCounters } from './quota-counters.js';
import { enterChoice, type ChosenStop, type NewChoice } from './stop-choices.js';

export interface ChooseDeps {
  readonly sql: Sql;
  readonly audit: AuditLog;
  readonly counters: Pick<QuotaCounters, 'ask' | 'forget'>;
}

/**
 * Enters what an org's admin picked for when its limits are reached, where the catalog offers it to what the org holds now.
 *
 * @throws InputError `org_not_found`, `not_found`, `invalid_argument`; RefusedError `conflict` where it is not offered
 */
export async function chooseStop(
  { sql, audit, counters }: ChooseDeps,
  choice: NewChoice,
  now: Instant,
): Promise<ChosenStop> {
  const { state } = await counters.ask(choice.orgId, now);
  requireKnownOrg(state);
  if (choice.stop !== 'default') requireOffered(choice, choice.stop, concernedBy(choice, state.questions));
  const entered = await enterChoice({ sql, audit }, choice, now);
  counters.forget(choice.orgId);
  return entered;
}

function concernedBy(
  { meterId, orgId }: NewChoice,
  questions: readonly OverageQuestion[],
): OverageQuestion[] {
  const concerned = questions.filter(({ metered }) => meterId === null || metered.meterId === meterId);
  if (concerned.length > 0) return concerned;
  const what = meterId === null ? 'anything that is metered' : `anything that ${meterId} meters`;
  throw new RefusedError(
    'conflict',
    `${orgId} does not hold ${what} now, so there is no limit to choose for`,
  );
}

function requireOffered(
  { orgId, spendCap }: NewChoice,
  stop: 'hard' | 'soft',
  concerned: readonly OverageQuestion[],
): void {
  const offers = concerned.flatMap((question) => scopesOf(question).map((scope) => ({ question, scope })));
  const offering = offers.filter(({ scope }) => stopChoicesOf(scope).includes(stop));
  if (offering.length === 0) {
    const held = [...new Set(offers.map(({ scope }) => `${scope.kind} ${scope.id}`))].join(', ');
    throw new RefusedError(
      'conflict',
      `the catalog does not offer a ${stop} stop for what ${orgId} holds (${held})`,
    );
  }
  if (spendCap === null) return;
  if (stop === 'hard') {
    throw new InputError(
      'invalid_argument',
      'spend_cap: a hard stop bills nothing over the limit; leave the cap out',
    );
  }
  for (const { question, scope } of offering) requireLower(spendCap, scope, question.metered.currency);
}

function requireLower(spendCap: Money, scope: Scope, currency: string): void {
  if (spendCap.currency !== currency) {
    throw new InputError(
      'invalid_argument',
      `spend_cap: the subscription is billed in ${currency}, and a cap in ${spendCap.currency} is never converted; write it in ${currency}`,
    );
  }
  const most = catalogCap(scope, currency);
  if (most === null || spendCap.amountMinor <= most.amountMinor) return;
  throw new RefusedError(
    'conflict',
    `spend_cap: ${scope.kind} ${scope.id} is capped at ${formatMoney(most)}, and ${formatMoney(spendCap)} is more; choose less`,
  );
}

/** What is held last and billed: what was given back earlier in the period offers nothing any more. */
function scopesOf({ metered }: OverageQuestion): readonly Scope[] {
  return metered.holdings.findLast(({ isBillable }) => isBillable)?.scopes ?? [];
}
