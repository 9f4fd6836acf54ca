import type { z } from 'zod';
import { dataObject, type FieldRule } from '../fields.js';
import type { Stream } from '../raw-event.js';

/** One type of event: where it goes, what its `data` must be, and the sentence that its reference page opens with. */
export interface EventDefinition<Data extends z.ZodType> {
  /** `target`: a correction goes into the stream of what it corrects. */
  readonly stream: Stream | 'target';
  readonly summary: string;
  readonly data: Data;
  /** What the subject must be, where that is not the customer org (or a record not yet tied to one). */
  readonly subject?: SubjectRule;
}

/** The word `company` for facts of the whole company, or the value of a field of `data` (a partner's id). */
export type SubjectRule = { readonly kind: 'company' } | { readonly kind: 'field'; readonly field: string };

export const COMPANY_SUBJECT = 'company';
export const ofCompany: SubjectRule = { kind: 'company' };
export const ofPartner: SubjectRule = { kind: 'field', field: 'partnerId' };
export const ofVendor: SubjectRule = { kind: 'field', field: 'vendorPartnerId' };

interface TypeRules {
  readonly rules?: readonly FieldRule[];
  readonly subject?: SubjectRule;
}

export function eventType<Shape extends z.ZodRawShape>(
  stream: Stream | 'target',
  summary: string,
  shape: Shape,
  { rules = [], subject }: TypeRules = {},
) {
  const definition = { stream, summary, data: dataObject(shape, rules) };
  return subject === undefined ? definition : { ...definition, subject };
}
