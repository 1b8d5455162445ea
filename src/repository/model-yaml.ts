import * as z from 'zod';
import { expected, section } from '../config/expected.ts';
import { number, whole } from '../config/quantities.ts';
import { postprocessSchema, preprocessSchema } from './preprocess-yaml.ts';

/** How a package wants its answers compared. What is left out is chosen by the task. */
export type CompareSetting = {
  readonly comparator?: 'rankedClasses' | 'anyTensor' | undefined;
  /** The output that is compared. */
  readonly output?: string | undefined;
  /** How many of the best classes must agree. */
  readonly topK?: number | undefined;
  /** Tolerances: an element may differ by absolute + relative * |reference|. */
  readonly absolute?: number | undefined;
  readonly relative?: number | undefined;
};

export type ModelYaml = z.output<typeof modelYamlSchema>;

const line = z.string({ error: expected('text') }).min(1, { error: expected('text') });
const tolerance = number({ min: 0, max: 1e9 }).optional();

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
  compare: section({
    comparator: z
      .enum(['rankedClasses', 'anyTensor'], { error: expected('rankedClasses or anyTensor') })
      .optional(),
    output: line.optional(),
    topK: whole({ min: 1, max: 1_000 }).optional(),
    absolute: tolerance,
    relative: tolerance,
  }).optional(),
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
