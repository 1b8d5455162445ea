import t from 'tap';
import { hasNonFinite, SCANNED_VALUES_MAX } from '../../src/core/non-finite.ts';
import { WRITE_ELEMENT } from '../../src/core/numbers.ts';
import { DTYPE_BYTES, type Dtype, type Tensor } from '../../src/core/tensor.ts';

type Floating = 'FP16' | 'BF16' | 'FP32' | 'FP64';

function floats(dtype: Floating, values: readonly number[]): Tensor {
  const data = new Uint8Array(values.length * DTYPE_BYTES[dtype]);
  const view = new DataView(data.buffer);
  for (const [at, value] of values.entries())
    WRITE_ELEMENT[dtype](view, at * DTYPE_BYTES[dtype], value);
  return { name: 'y', dtype, shape: [values.length], data };
}

t.test('NaN and both infinities are found in floats of any width, wherever they are', async (t) => {
  for (const dtype of ['FP16', 'BF16', 'FP32', 'FP64'] as const) {
    t.notOk(hasNonFinite(floats(dtype, [0, -0, 1e-30, -3.4e4, 6e4])), dtype);
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      for (const at of [0, 1, 2]) {
        const values = [1, 2, 3].with(at, value);
        t.ok(hasNonFinite(floats(dtype, values)), `${dtype} ${value} at ${at}`);
      }
    }
  }
});

t.test('a part is looked at by itself', async (t) => {
  const tensor = floats('FP32', [1, Number.NaN, 3, 4]);
  t.notOk(hasNonFinite(tensor, 0, 1));
  t.ok(hasNonFinite(tensor, 1, 1));
  t.notOk(hasNonFinite(tensor, 2, 2));
  t.notOk(hasNonFinite(tensor, 4, 0));
});

t.test('whole numbers, strings and nothing at all have no NaN', async (t) => {
  const data = new Uint8Array(16).fill(0xff);
  for (const dtype of ['INT64', 'UINT8', 'BOOL', 'BYTES'] as const satisfies readonly Dtype[])
    t.notOk(hasNonFinite({ name: 'y', dtype, shape: [2], data }));
  t.notOk(hasNonFinite(floats('FP32', [])));
});

// A stride of whole rows would look at one column alone, and a model may spoil another.
t.test('of a large output every column is looked at, and its first and last value', async (t) => {
  const columns = 64;
  const count = 24 * SCANNED_VALUES_MAX;
  const values = new Float32Array(count);
  const tensor = {
    name: 'y',
    dtype: 'FP32',
    shape: [count / columns, columns],
    data: new Uint8Array(values.buffer),
  } as const;
  t.notOk(hasNonFinite(tensor));
  for (let column = 0; column < columns; column += 1) {
    for (let at = column; at < count; at += columns) values[at] = Number.NaN;
    if (!hasNonFinite(tensor)) t.fail(`column ${column}`);
    values.fill(0);
  }
  for (const at of [0, count - 1]) {
    values[at] = Infinity;
    t.ok(hasNonFinite(tensor));
    values[at] = 0;
  }
});
