import type { Random } from '../../core/random.ts';
import {
  byteLengthOf,
  type Dtype,
  elementCount,
  type Signature,
  type Tensor,
} from '../../core/tensor.ts';
import type { Sample } from '../nouns/sample.ts';
import { bytesOf, type Element } from './elements.ts';
import { checkInputs, type ShapeOptions, shapeOf } from './input-shape.ts';

export type SyntheticOptions = ShapeOptions & {
  /** How many samples. */
  readonly count: number;
  /** The same randomness gives the same samples. */
  readonly random: Random;
};

/** Bytes of all samples: they are held in memory, and sent to each of the generator's processes. */
const SAMPLES_BYTES_MAX = 2 ** 30;

/** Valid where the model takes them for places in a table, such as tokens or classes; and they fit every datatype. */
const WHOLE_BELOW = 10;

const TEXT_LENGTH_MIN = 4;
const TEXT_LENGTH_MAX = 24;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz ';

/**
 * Samples made up from what a model says that it takes. Floats are uniform in [0, 1), whole numbers in 0..9, BOOL is a coin, BYTES
 * are texts of 4 to 24 letters and spaces.
 *
 * @throws Error where the signature leaves a dimension open that `shapes` does not say, where what it says does not fit, and where
 * the samples would take more than 1 GiB.
 */
export function syntheticSamples(signature: Signature, options: SyntheticOptions): Sample[] {
  const { count, random } = options;
  checkInputs(signature, options);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new Error(`samples: expected a whole number from 1, found ${count}`);
  }
  const heads = signature.inputs.map((spec) => ({
    name: spec.name,
    dtype: spec.dtype,
    shape: shapeOf(spec, options),
  }));
  checkBytes(heads, count);
  return Array.from({ length: count }, () => ({
    inputs: heads.map((head) => ({ ...head, data: valuesOf(head, random) })),
  }));
}

type Head = Omit<Tensor, 'data'>;

function checkBytes(heads: readonly Head[], count: number): void {
  const each = heads.map(
    ({ dtype, shape }) => byteLengthOf(dtype, shape) ?? elementCount(shape) * TEXT_LENGTH_MAX,
  );
  const bytes = count * each.reduce((sum, size) => sum + size, 0);
  if (bytes <= SAMPLES_BYTES_MAX) return;
  throw new Error(
    `samples: expected at most ${SAMPLES_BYTES_MAX} bytes of inputs in all, found ${bytes} in ${count} samples`,
  );
}

function valuesOf({ dtype, shape }: Head, random: Random): Uint8Array {
  const element = elementMaker(dtype, random);
  return bytesOf(dtype, Array.from({ length: elementCount(shape) }, element));
}

function elementMaker(dtype: Dtype, random: Random): () => Element {
  if (dtype === 'BYTES') return () => Buffer.from(text(random), 'latin1');
  if (dtype === 'BOOL') return () => random.integer(2);
  if (dtype === 'FP64') return random.unit;
  const steps = UNIT_STEPS[dtype];
  if (steps !== undefined) return () => random.integer(steps) / steps;
  return () => random.integer(WHOLE_BELOW);
}

/** Into so many steps [0, 1) is cut, as fine as the format holds all of them: a rounded number could be 1. */
const UNIT_STEPS: Partial<Readonly<Record<Dtype, number>>> = {
  FP16: 2 ** 11,
  BF16: 2 ** 8,
  FP32: 2 ** 24,
};

function text(random: Random): string {
  const length = TEXT_LENGTH_MIN + random.integer(TEXT_LENGTH_MAX - TEXT_LENGTH_MIN + 1);
  return Array.from({ length }, () => LETTERS[random.integer(LETTERS.length)]).join('');
}
