import * as z from 'zod';
import { expected, section } from '../config/expected.ts';
import { number, whole } from '../config/quantities.ts';
import type { ComparatorSetting } from '../core/comparator-setting.ts';
import { postprocessSchema, preprocessSchema } from './preprocess-yaml.ts';

export type ModelYaml = z.output<typeof modelYamlSchema>;

const line = z.string({ error: expected('text') }).min(1, { error: expected('text') });
const tolerance = number({ min: 0, max: 1e9 }).optional();

const compareSchema: z.ZodType<ComparatorSetting> = section({
  comparator: z
    .enum(['rankedClasses', 'anyTensor'], { error: expected('rankedClasses or anyTensor') })
    .optional(),
  output: line.optional(),
  topK: whole({ min: 1, max: 1_000 }).optional(),
  distribution: number({ min: 0.0001, max: 1 }).optional(),
  absolute: tolerance,
  relative: tolerance,
  outputs: z
    .record(
      z.string(),
      section({ nonFinite: z.enum(['allow'], { error: expected('allow') }).optional() }),
      { error: expected('outputs by name') },
    )
    .optional(),
});

/** `model.yaml`: all of it is optional, as is the file. */
export const modelYamlSchema = section({
  task: line.optional(),
  description: line.optional(),
  labels: z
    .union([line, z.array(line).min(1)], {
      error: expected('a list of labels, or the file that holds one a line'),
    })
    .optional(),
  preprocess: preprocessSchema.optional(),
  postprocess: postprocessSchema.optional(),
  compare: compareSchema.optional(),
  licence: line.optional(),
  provenance: z
    .record(
      z.string(),
      z.union([line, z.number(), z.boolean()], { error: expected('a text or a number') }),
      {
        error: expected('names and texts'),
      },
    )
    .optional(),
});
