import type { OutboundTensor } from '../core/tensor.ts';
import type { Work } from '../core/work.ts';

/** The inputs of several requests as one batch, row after row. Nothing is copied: the pieces are put in a row when sent. */
export function joinInputs(works: readonly Work[], rows: number): readonly OutboundTensor[] {
  const [first, second] = works;
  if (first === undefined) throw new Error('a batch has at least one request');
  if (second === undefined) return first.inputs;
  return first.inputs.map(({ name, dtype, shape }, at) => ({
    name,
    dtype,
    shape: [rows, ...shape.slice(1)],
    data: works.map((work) => work.inputs[at]?.data ?? new Uint8Array(0)),
  }));
}
