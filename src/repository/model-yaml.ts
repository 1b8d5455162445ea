import * as z from 'zod';
import { compareSchema } from '../config/compare-section.ts';
import { expected, section } from '../config/expected.ts';
import { postprocessSchema, preprocessSchema } from './preprocess-yaml.ts';

export type ModelYaml = z.output<typeof modelYamlSchema>;

const line = z.string({ error: expected('text') }).min(1, { error: expected('text') });

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
