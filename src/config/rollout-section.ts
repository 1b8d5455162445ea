import * as z from 'zod';
import type { ComparatorSetting } from '../core/comparator-setting.ts';
import type { Intent, Margins, QualityClaim, Step } from '../core/rollout.ts';
import { compareSchema } from './compare-section.ts';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';
import { duration, number, percent, whole } from './quantities.ts';
import { slicesSchema, type WrittenSlice } from './slices.ts';
import { stepsSchema } from './steps.ts';

/** Margins of which any part may be left out. */
export type PartialMargins = {
  readonly [Name in Exclude<keyof Margins, 'pairedErrors'>]?: Margins[Name] extends number
    ? number | undefined
    : { readonly [Part in keyof Margins[Name]]?: number | undefined } | undefined;
} & {
  /** A number: the absolute rate at a ratio of 1. */
  readonly pairedErrors?:
    | number
    | { readonly ratio?: number | undefined; readonly absolute?: number | undefined }
    | undefined;
};

/** The `rollout` section as written, in milliseconds, before anything is filled in. */
export type RolloutSection = {
  readonly intent?: Intent | undefined;
  readonly claim?: QualityClaim | undefined;
  readonly compare?: ComparatorSetting | undefined;
  readonly slices?: readonly WrittenSlice[] | undefined;
  readonly anchor?: { readonly share?: number | undefined } | undefined;
  readonly margins?: PartialMargins | undefined;
  readonly errorBudget?:
    | { readonly falseRollback?: number | undefined; readonly falsePromotion?: number | undefined }
    | undefined;
  readonly unit?:
    | { readonly requests?: number | undefined; readonly window?: number | undefined }
    | undefined;
  readonly minRequests?: number | undefined;
  readonly minDuration?: number | undefined;
  readonly expectedDisagreement?: { readonly rate: number; readonly digest: string } | undefined;
  readonly onInconclusive?: 'pause' | 'rollback' | undefined;
  readonly maxDuration?: number | undefined;
  readonly maxSamples?: number | undefined;
  readonly steps?: readonly Step[] | undefined;
};

/** Each number of failed ones among so many is a key of the evidence; users differ more than a user's requests do. */
const UNIT_REQUESTS_MAX = 100;

const rate = number({ min: 0.0001, max: 0.5 });
const ratio = number({ min: 1, max: 100 });
const risk = number({ min: 0.0001, max: 0.5 });

/** Shorter blocks are one measurement of next to nothing; of longer ones a day has too few. */
const block = duration.refine((ms) => ms >= 50 && ms <= 3_600_000, {
  error: expected('a duration from 50ms to 1h'),
});

/** Durations are milliseconds inside, and say so. */
function inMs<Part extends { block?: number | undefined }>({ block: blockMs, ...rest }: Part) {
  return blockMs === undefined ? rest : { ...rest, blockMs };
}

const marginsSchema = section({
  disagreement: rate.optional(),
  pairedErrors: z
    .union([rate, section({ ratio: ratio.optional(), absolute: rate.optional() })], {
      error: expected('a rate from 0.0001 to 0.5, or a section of ratio and absolute'),
    })
    .optional(),
  labelledLoss: rate.optional(),
  pairedLatency: section({
    ratio: number({ min: 1, max: 100 }).optional(),
    floorMs: number({ min: 0, max: 60_000 }).optional(),
    block: block.optional(),
  })
    .transform(inMs)
    .optional(),
  errors: section({ ratio: ratio.optional(), absolute: rate.optional() }).optional(),
  slowRequests: section({
    ratio: ratio.optional(),
    quantile: number({ min: 0.5, max: 0.999 }).optional(),
    absolute: rate.optional(),
    block: block.optional(),
  })
    .transform(inMs)
    .optional(),
});

/** The keys of a `rollout` section, for the file and for a request to start one. */
export const rolloutKeys = {
  intent: z
    .enum(['equivalent', 'improve'], { error: expected('equivalent or improve') })
    .optional(),
  claim: z.enum(['noWorse', 'superior'], { error: expected('noWorse or superior') }).optional(),
  compare: compareSchema.optional(),
  slices: slicesSchema.optional(),
  anchor: section({ share: percent.optional() }).optional(),
  margins: marginsSchema.optional(),
  errorBudget: section({
    falseRollback: risk.optional(),
    falsePromotion: risk.optional(),
  }).optional(),
  minRequests: whole({ min: 0, max: 100_000_000 }, 'requests').optional(),
  minDuration: duration.optional(),
  unit: section({
    requests: whole({ min: 1, max: UNIT_REQUESTS_MAX }, 'requests').optional(),
    window: duration.optional(),
  }).optional(),
  expectedDisagreement: section({
    rate: number({ min: 0, max: 1 }),
    digest: z.string({ error: expected('64 hex digits') }).regex(/^[0-9a-f]{64}$/, {
      error: expected('64 hex digits'),
    }),
  }).optional(),
  onInconclusive: z
    .enum(['pause', 'rollback'], { error: expected('pause or rollback') })
    .optional(),
  maxDuration: duration.optional(),
  maxSamples: whole({ min: 100, max: 1_000_000_000 }, 'samples').optional(),
  steps: stepsSchema.optional(),
};

/** Of a rollout that names none, milliseconds. */
export const MAX_DURATION_MS = rolloutKeys.maxDuration.unwrap().parse(DEFAULTS.rollout.maxDuration);
