import { readFile } from 'node:fs/promises';
import { joinByteStrings } from '../core/byte-strings.ts';
import { messageOf } from '../core/errors.ts';
import { isFloat, WRITE_ELEMENT } from '../core/numbers.ts';
import { type Random, seededRandom } from '../core/random.ts';
import {
  DTYPE_BYTES,
  type Dtype,
  elementCount,
  requiredInputs,
  type Tensor,
} from '../core/tensor.ts';
import type { WarmupInput, WarmupSample } from '../core/warmup.ts';
import { zeroBytes, zeros } from '../core/zeros.ts';
import type { OpenModel } from '../runtime/runtime.ts';

/**
 * Runs a model before its first request: once on zeros, which it may refuse for reasons of its own, then on each sample as
 * often as that says.
 *
 * @throws Error that names the sample which the model did not answer, and the reason.
 */
export async function warmUp(model: OpenModel, samples: readonly WarmupSample[]): Promise<void> {
  await model.run(requiredInputs(model.signature).map(zeros)).catch(() => undefined);
  for (const { name, count, inputs } of samples) {
    try {
      const tensors = await Promise.all(inputs.map(tensorOf));
      for (let run = 0; run < count; run++) await model.run(tensors);
    } catch (cause) {
      throw new Error(`warm-up "${name}": ${messageOf(cause)}`, { cause });
    }
  }
}

async function tensorOf({ name, dtype, shape, content }: WarmupInput): Promise<Tensor> {
  switch (content.kind) {
    case 'zeros':
      return { name, dtype, shape, data: zeroBytes(dtype, shape) };
    case 'random':
      return { name, dtype, shape, data: randomBytes(dtype, shape, seededRandom(content.seed)) };
    case 'file':
      return { name, dtype, shape, data: await readFile(content.file) };
  }
}

/** Whole numbers are from 0 to 9, so that a model may take them for classes or places; the others are from 0 up to 1. */
function randomBytes(dtype: Dtype, shape: readonly number[], random: Random): Uint8Array {
  const count = elementCount(shape);
  if (dtype === 'BYTES') {
    const words = Array.from({ length: count }, () => String(random.integer(1_000_000)));
    return joinByteStrings(words.map((word) => new TextEncoder().encode(word)));
  }
  const data = zeroBytes(dtype, shape);
  const view = new DataView(data.buffer);
  const next = isFloat(dtype)
    ? () => random.unit()
    : () => random.integer(dtype === 'BOOL' ? 2 : 10);
  for (let at = 0; at < data.byteLength; at += DTYPE_BYTES[dtype])
    WRITE_ELEMENT[dtype](view, at, next());
  return data;
}
