import { expect, test } from 'vitest';
import { eventExamples } from '../core/events/examples.js';
import { validateEvent } from '../core/events/validate-event.js';
import { parseJsonExact } from '../core/json.js';
import { parseInstant } from '../core/time.js';
import { anyLine, Dice } from '../test/event-lines.js';
import { sureEvent } from './sure-event.js';

const NOW = parseInstant('2026-06-01T12:00:00Z');
const LATER = parseInstant('2030-01-01T00:00:00Z');
const SKEW_MS = 300_000;
const LINES = 20_000;

test('what is sure is what zod accepts, and reads as the same event', () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`sure event: seed ${seed}, ${LINES} lines`);
  const dice = new Dice(seed);
  let sureCount = 0;
  for (let index = 0; index < LINES; index += 1) {
    const parsed = parseJsonExact(anyLine(dice));
    if (!parsed.ok) continue;
    const sure = sureEvent(parsed.value, NOW + BigInt(SKEW_MS) * 1000n);
    if (sure === null) continue;
    sureCount += 1;
    expect(validateEvent(parsed.value, NOW, SKEW_MS)).toEqual({ ok: true, event: sure });
  }
  expect(sureCount).toBeGreaterThan(LINES / 3);
});

test('examples of nearly all types are sure, so that zod is rarely asked', () => {
  const asked = Object.values(eventExamples)
    .filter((example) => sureEvent(example, LATER) === null)
    .map(({ type }) => type);
  // Corrections depend on their target; zones, rates and percentages are zod's.
  expect(asked.sort()).toEqual(['event.amended', 'event.voided', 'fx.rate_published', 'org.upserted']);
});
