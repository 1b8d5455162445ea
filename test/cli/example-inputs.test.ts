import t from 'tap';
import { inputsFileOf } from '../../src/cli/example-inputs.ts';
import { dataSamples } from '../../src/load/requests/data-file.ts';
import { aTensor } from '../support/a-tensor.ts';

t.test('bench reads what was exported, bit for bit', async (t) => {
  const image = aTensor([0.1, -0, Number.NaN, 4], { name: 'image', shape: [2, 2] });
  const scores = aTensor([1, 2, 3], { name: 'scores' });
  const text = {
    name: 'text',
    dtype: 'BYTES',
    shape: [1],
    data: Buffer.from('\x02\0\0\0hi'),
  } as const;
  const file = inputsFileOf([{ request: [image, text], answer: [scores] }]);
  const signature = {
    inputs: [
      { name: 'image', dtype: 'FP32', shape: [-1, 2] },
      { name: 'text', dtype: 'BYTES', shape: [-1] },
    ],
    outputs: [{ name: 'scores', dtype: 'FP32', shape: [-1, 3] }],
  } as const;
  const [sample] = dataSamples(file, signature, { shapes: {} });
  t.same(sample?.inputs[0]?.shape, [2, 2]);
  t.same(sample?.inputs[0]?.data, image.data);
  t.same(sample?.inputs[1]?.data, new Uint8Array(text.data));
  t.same(sample?.expected?.[0]?.data, scores.data);
});
