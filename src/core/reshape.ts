import type { Signature, TensorSpec } from './tensor.ts';

/**
 * One tensor as callers see it and as the model has it: whole shapes of the same elements in the same order. A -1 is free; the
 * first -1 of one stands for the first of the other, and so on.
 */
export type Reshape = {
  readonly side: 'input' | 'output';
  readonly name: string;
  readonly served: readonly number[];
  readonly model: readonly number[];
};

/** A shape that fits `from`, as `to` has it; undefined where it does not fit. */
export function reshapedTo(
  shape: readonly number[],
  from: readonly number[],
  to: readonly number[],
): readonly number[] | undefined {
  if (shape.length !== from.length) return undefined;
  if (!from.every((size, axis) => size === -1 || size === shape[axis])) return undefined;
  const free = shape.filter((_, axis) => from[axis] === -1);
  let at = 0;
  return to.map((size) => (size === -1 ? (free[at++] ?? 1) : size));
}

export function reshapeOf(
  reshapes: readonly Reshape[],
  side: Reshape['side'],
  name: string,
): Reshape | undefined {
  return reshapes.find((each) => each.side === side && each.name === name);
}

/** True if the rows of such a tensor are rows to the model too, or there is no free leading dimension that could be rows. */
export function keepsRows({ served, model }: Reshape): boolean {
  return served[0] !== -1 || model[0] === -1;
}

/** A model's own signature as callers see it. */
export function servedSignature(
  { inputs, outputs }: Signature,
  reshapes: readonly Reshape[],
): Signature {
  const served = (side: Reshape['side']) => (spec: TensorSpec) => {
    const reshape = reshapeOf(reshapes, side, spec.name);
    return reshape ? { ...spec, shape: reshape.served } : spec;
  };
  return { inputs: inputs.map(served('input')), outputs: outputs.map(served('output')) };
}
