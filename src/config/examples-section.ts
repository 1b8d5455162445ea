import * as z from 'zod';
import type { ExampleSetting } from '../core/example-setting.ts';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';
import { byteSize, duration } from './quantities.ts';

const { examples } = DEFAULTS.model;

/** One example may take a sixteenth, and less than 64 KiB would be too small for most bodies. */
const BYTES_MIN = 1_048_576;
const AGE_MS_MAX = 90 * 86_400_000;
const INPUTS_MAX = 1_000;

const inputs = expected('a list of inputs such as [image]');

/** A model's `examples` section: which compared requests are kept to be looked at. */
export const examplesSchema = section({
  // As programs that write YAML have it, for which `off` is a truth value.
  keep: z
    .union([z.enum(['off', 'scores', 'bodies']), z.literal(false)], {
      error: expected('off, scores or bodies'),
    })
    .default(examples.keep),
  maxBytes: byteSize
    .refine((bytes) => bytes >= BYTES_MIN, { error: expected('at least 1MiB') })
    .prefault(examples.maxBytes),
  maxAge: duration
    .refine((ms) => ms <= AGE_MS_MAX, { error: expected('a duration of at most 90d') })
    .prefault(examples.maxAge),
  redact: z
    .array(z.string({ error: expected('the name of an input') }).min(1), { error: inputs })
    .max(INPUTS_MAX)
    .default([...examples.redact]),
})
  .prefault({})
  .transform(
    ({ keep, maxBytes, maxAge, redact }): ExampleSetting => ({
      keep: keep === false ? 'off' : keep,
      bytesMax: maxBytes,
      ageMsMax: maxAge,
      redact,
    }),
  );
