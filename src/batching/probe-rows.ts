/** The rows that a probe runs: made up from the signature, since no caller's data may serve for that. */

import { isFloat, WRITE_ELEMENT } from '../core/numbers.ts';
import type { Random } from '../core/random.ts';
import type { OutboundTensor } from '../core/tensor.ts';
import {
  byteLengthOf,
  DTYPE_BYTES,
  type Dtype,
  elementCount,
  type TensorSpec,
} from '../core/tensor.ts';

/**
 * What a row holds. Floating-point numbers are `ordinary` from -1 to 1, `wide` from -4 to 4, or all the same; whole numbers are
 * drawn separately for each row, except for zeros, since any other extreme may be an index or a length to the model.
 */
export type Filling = 'ordinary' | 'wide' | 'zeros' | 'huge' | 'NaN';

/** The form of a row: what stands for its free dimensions, and the whole numbers that the model takes. */
export type RowForm = {
  readonly specs: readonly TensorSpec[];
  /** In place of every free dimension but the first. */
  readonly free: number;
  /** Whole numbers are from 0 up to this. */
  readonly below: number;
};

/** The bytes of one row, by input. */
export type Row = readonly Uint8Array[];

/** True if an extreme filling makes other rows than an ordinary one. */
export function hasFloats({ specs }: Pick<RowForm, 'specs'>): boolean {
  return specs.some(({ dtype }) => isFloat(dtype));
}

/** Bytes of one row of a form, over all inputs. */
export function rowBytesOf(form: RowForm): number {
  return form.specs.reduce(
    (sum, spec) => sum + (byteLengthOf(spec.dtype, shapeOf(spec, form)) ?? 0),
    0,
  );
}

export function rowOf(form: RowForm, filling: Filling, random: Random): Row {
  return form.specs.map((spec) => {
    const { dtype } = spec;
    const count = elementCount(shapeOf(spec, form));
    const width = DTYPE_BYTES[dtype];
    const data = new Uint8Array(count * width);
    if (filling === 'zeros') return data;
    const view = new DataView(data.buffer);
    const write = isFloat(dtype) ? WRITE_ELEMENT[dtype] : undefined;
    const below = dtype === 'BOOL' ? 2 : form.below;
    for (let at = 0; at < data.byteLength; at += width) {
      if (write === undefined) view.setUint8(at, random.integer(below));
      else write(view, at, floatOf(filling, dtype, random));
    }
    return data;
  });
}

/** Rows as one batch. */
export function batchOf(form: RowForm, rows: readonly Row[]): readonly OutboundTensor[] {
  return form.specs.map((spec, input) => ({
    name: spec.name,
    dtype: spec.dtype,
    shape: [rows.length, ...shapeOf(spec, form)],
    data: rows.map((row) => row[input] ?? new Uint8Array(0)),
  }));
}

/** The shape of one row, without the leading dimension. */
function shapeOf({ shape }: TensorSpec, { free }: Pick<RowForm, 'free'>): readonly number[] {
  return shape.slice(1).map((size) => (size === -1 ? free : size));
}

function floatOf(filling: Exclude<Filling, 'zeros'>, dtype: Dtype, random: Random): number {
  switch (filling) {
    case 'ordinary':
      return random.unit() * 2 - 1;
    case 'wide':
      return random.unit() * 8 - 4;
    case 'huge':
      // Beyond what binary16 holds there is only infinity.
      return dtype === 'FP16' ? 60_000 : 1e30;
    case 'NaN':
      return Number.NaN;
  }
}
