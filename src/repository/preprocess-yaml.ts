import * as z from 'zod';
import { expected, section } from '../config/expected.ts';
import { number, whole } from '../config/quantities.ts';

/** How an encoded image becomes the model's input, as a package says it. What is left out follows from the signature. */
export type Preprocess = z.output<typeof preprocessSchema>;

/** How the model's output becomes a readable answer. */
export type Postprocess = z.output<typeof postprocessSchema>;

const name = z.string({ error: expected('a name') }).min(1, { error: expected('a name') });
const side = whole({ min: 1, max: 16_384 }, 'pixels').optional();
const anyNumber = number({ min: -1e9, max: 1e9 });
const positive = anyNumber.refine((value) => value > 0, { error: expected('a number above 0') });

/** One number for all channels, or one for each. */
function perChannel(value: z.ZodNumber) {
  const what = expected('a number, or a list of one for each channel');
  return z.union([value, z.array(value).min(1).max(3)], { error: what }).optional();
}

function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: expected(words.join(', ')) }).optional();
}

const imageSchema = section({
  input: name.optional(),
  width: side,
  height: side,
  mode: oneOf(['grey', 'rgb', 'bgr']),
  layout: oneOf(['NCHW', 'NHWC']),
  fit: oneOf(['fill', 'cover', 'contain']),
  kernel: oneOf(['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']),
  background: whole({ min: 0, max: 255 }).optional(),
  scale: anyNumber.optional(),
  mean: perChannel(anyNumber),
  std: perChannel(positive),
});

export const preprocessSchema = section({ image: imageSchema });

export const postprocessSchema = section({
  output: name.optional(),
  softmax: z.boolean({ error: expected('true or false') }).optional(),
  top: whole({ min: 1, max: 1_000 }, 'classes').optional(),
});
