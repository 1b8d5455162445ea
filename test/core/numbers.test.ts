import t from 'tap';
import { numbersOf } from '../../src/core/numbers.ts';
import { aTensor } from '../support/a-tensor.ts';

t.test('numbers are read from any offset and any dtype', async (t) => {
  const bytes = new Uint8Array(13);
  bytes.set(new Uint8Array(new Float32Array([1.5, -2]).buffer), 3);
  t.same(
    [...(numbersOf(aTensor([0, 0], { data: bytes.subarray(3, 11) })) as Float32Array)],
    [1.5, -2],
  );
  const half = (bits: number) => {
    const data = new Uint8Array(new Uint16Array([bits]).buffer);
    const read = (dtype: 'FP16' | 'BF16') => numbersOf({ name: 'x', dtype, shape: [1], data })?.[0];
    return { fp16: read('FP16'), bf16: read('BF16') };
  };
  t.equal(half(0x3c00).fp16, 1);
  t.equal(half(0xc500).fp16, -5);
  t.equal(half(0x0001).fp16, 2 ** -24);
  t.equal(half(0x7c00).fp16, Infinity);
  t.ok(Number.isNaN(half(0x7e00).fp16));
  t.equal(half(0x3fc0).bf16, 1.5);
  const data = new Uint8Array(new BigInt64Array([-7n]).buffer);
  t.same(numbersOf({ name: 'x', dtype: 'INT64', shape: [1], data })?.[0], -7);
});
