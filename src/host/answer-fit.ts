import type { Observation } from '../core/outcome.ts';
import { byteLengthOf, formatShape, type Signature, type Tensor } from '../core/tensor.ts';

/**
 * What is wrong with a model's answer by its own declaration, in words: datatype, rank, fixed dimensions, the bytes that the shape
 * promises, and the rows of the request where those are given. Undefined: it fits. An output that declares no dimensions may have
 * any: a file that says nothing of a shape reads the same as one that says scalar.
 */
export function whyAnswerUnfit(
  outputs: readonly Tensor[],
  signature: Signature,
  rows?: number,
): string | undefined {
  for (const output of outputs) {
    const spec = signature.outputs.find(({ name }) => name === output.name);
    if (spec === undefined) return `output '${output.name}' is not declared`;
    const { name, dtype, shape, data } = output;
    if (dtype !== spec.dtype) {
      return `output '${name}': expected datatype ${spec.dtype} as declared, found ${dtype}`;
    }
    if (!fits(shape, spec.shape)) {
      return `output '${name}': expected shape ${formatShape(spec.shape)} as declared, found ${formatShape(shape)}`;
    }
    if (rows !== undefined && shape[0] !== rows) {
      return `output '${name}': expected ${rows} rows as requested, found shape ${formatShape(shape)}`;
    }
    const bytes = byteLengthOf(dtype, shape);
    if (bytes !== undefined && bytes !== data.byteLength) {
      return `output '${name}': expected ${bytes} bytes for shape ${formatShape(shape)}, found ${data.byteLength}`;
    }
  }
  return undefined;
}

/** The same run, or its failure where the answer does not fit. */
export function heldToSignature(
  run: Observation,
  signature: Signature,
  rows?: number,
): Observation {
  if (run.kind === 'failure') return run;
  const why = whyAnswerUnfit(run.outputs, signature, rows);
  if (why === undefined) return run;
  return { kind: 'failure', code: 'runtime_failed', message: `the model's answer: ${why}` };
}

function fits(shape: readonly number[], declared: readonly number[]): boolean {
  if (declared.length === 0) return true;
  if (shape.length !== declared.length) return false;
  for (let axis = 0; axis < declared.length; axis += 1) {
    if (declared[axis] !== -1 && declared[axis] !== shape[axis]) return false;
  }
  return true;
}
