import t from 'tap';
import { zeros } from '../../src/core/zeros.ts';

t.test('an input of zeros has every free dimension at 1', async (t) => {
  const input = zeros({ name: 'x', dtype: 'FP32', shape: [-1, 3, -1] });
  t.same(input, { name: 'x', dtype: 'FP32', shape: [1, 3, 1], data: new Uint8Array(12) });
});

t.test('zeros of text are empty texts', async (t) => {
  t.same(zeros({ name: 'x', dtype: 'BYTES', shape: [2] }).data, new Uint8Array(8));
});
