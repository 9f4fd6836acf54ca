import { z } from 'zod';
import { explainIssues } from '../../core/catalog/problems.js';

/**
 * A value that has several forms, read as the one that it is meant as. A union would try them all and then tell what is wrong with
 * one that nobody meant.
 */
export function chosenForm<Value>(choose: (value: unknown) => z.ZodType<Value>): z.ZodType<Value> {
  return z.unknown().transform((value, context) => {
    const form = choose(value);
    const parsed = form.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { path, message } of explainIssues(parsed.error.issues, form, value)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    return z.NEVER;
  });
}
