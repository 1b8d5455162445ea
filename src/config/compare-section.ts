import * as z from 'zod';
import { type ComparatorSetting, FAMILIES } from '../core/comparator-setting.ts';
import { expected, section } from './expected.ts';
import { number, whole } from './quantities.ts';

const line = z.string({ error: expected('text') }).min(1, { error: expected('text') });
const distance = number({ min: 0, max: 1e9 }).optional();

/** More outputs than this are a mistake: each is compared in each pair. */
const OUTPUTS_MAX = 100;

const familyKeys = {
  topK: whole({ min: 1, max: 1_000 }).optional(),
  distribution: number({ min: 0.0001, max: 1 }).optional(),
  absolute: distance,
  relative: distance,
  tolerance: distance,
  scale: number({ min: 1e-9, max: 1e12 }).optional(),
  loss: z.enum(['absolute', 'squared'], { error: expected('absolute or squared') }).optional(),
  iou: number({ min: 0.01, max: 1 }).optional(),
  threshold: number({ min: -1e9, max: 1e9 }).optional(),
  scores: line.optional(),
  classes: line.optional(),
  boxes: z.enum(['corners', 'center'], { error: expected('corners or center') }).optional(),
  similarity: z.enum(['dot', 'cosine'], { error: expected('dot or cosine') }).optional(),
};

const families = FAMILIES.join(', ');

const output = section({
  comparator: z
    .enum([...FAMILIES, 'none'], { error: expected(`one of ${families}, or none`) })
    .optional(),
  nonFinite: z.enum(['allow'], { error: expected('allow') }).optional(),
  ...familyKeys,
});

/** The `compare` section: of a package, of a model in the configuration, and of a rollout. */
export const compareSchema: z.ZodType<ComparatorSetting> = section({
  comparator: z.enum(FAMILIES, { error: expected(`one of ${families}`) }).optional(),
  output: line.optional(),
  ...familyKeys,
  outputs: z
    .record(z.string(), output, { error: expected('outputs by name') })
    .refine((outputs) => Object.keys(outputs).length <= OUTPUTS_MAX, {
      error: `expected at most ${OUTPUTS_MAX} outputs`,
    })
    .optional(),
});
