import { z } from 'zod';
import { Assumed, Id, Text } from './values.js';

/** Where a fit rule looks: the lead's own columns, one of its attributes, or its company. */
const FIELD =
  /^(lead\.(source|channel|status)|attributes\.[A-Za-z][A-Za-z0-9_]{0,63}|company\.(industry|employees|country|segment|motion|targetAccount))$/;
const Field = z
  .string()
  .regex(
    FIELD,
    'expected lead.source|channel|status, attributes.<key>, or company.industry|employees|country|segment|motion|targetAccount',
  );

const Points = z.int().min(-1_000).max(1_000);
const fitRule = { feature: Id, field: Field, points: Points, assumed: Assumed };

/** One line of the scorecard's fit part. Lines of one feature should exclude one another. */
const FitRule = z.discriminatedUnion('operator', [
  z.strictObject({ operator: z.literal('eq'), value: Text, ...fitRule }),
  z.strictObject({ operator: z.literal('in'), values: z.array(Text).min(1), ...fitRule }),
  z.strictObject({ operator: z.enum(['gte', 'lte']), value: z.int(), ...fitRule }),
  z.strictObject({ operator: z.literal('exists'), ...fitRule }),
]);

/** Points for each activity of a kind, decaying with the half-life; `maxPoints` caps their sum. */
const EngagementRule = z.strictObject({
  feature: Id,
  activity: Id,
  points: Points,
  maxPoints: Points.optional(),
  assumed: Assumed,
});

/** The readable scorecard that serves until a trained model is published. */
export const LeadScore = z
  .strictObject({
    modelVersion: Id,
    basePoints: z.int().min(-1_000).max(1_000),
    halfLifeDays: z.int().positive().max(3_650),
    minimum: z.int().default(0),
    maximum: z.int().default(1_000),
    /** Within how many days after its creation a lead must convert to count as won, for training. */
    horizonDays: z.int().positive().max(730).default(90),
    fit: z.record(Id, FitRule),
    engagement: z.record(Id, EngagementRule),
    /** Least points for each letter (fit) and digit (engagement); A1 is the best grade, D4 the last. */
    grades: z.strictObject({
      fit: z.strictObject({ A: z.int(), B: z.int(), C: z.int(), D: z.int() }),
      engagement: z.strictObject({ '1': z.int(), '2': z.int(), '3': z.int(), '4': z.int() }),
    }),
    bands: z.record(
      Id,
      z.strictObject({ minimumScore: z.int(), lifecycle: z.enum(['MQL', 'SQL']).optional() }),
    ),
    assumed: Assumed,
  })
  .refine(({ grades: { fit } }) => fit.A > fit.B && fit.B > fit.C && fit.C > fit.D, {
    path: ['grades', 'fit'],
    error: 'the letters must fall: A above B above C above D',
  })
  .refine(({ grades: { engagement: e } }) => e['1'] > e['2'] && e['2'] > e['3'] && e['3'] > e['4'], {
    path: ['grades', 'engagement'],
    error: 'the digits must fall: 1 above 2 above 3 above 4',
  });
export type LeadScore = z.output<typeof LeadScore>;
