import t from 'tap';
import { examplePath, requestOf, tensorsIn } from '../../src/cli/example-tensors.ts';
import { aTensor } from '../support/a-tensor.ts';

t.test('tensors in the binary form are read as they were written', async (t) => {
  const tensors = [aTensor([1, 2, 3]), aTensor([4], { name: 'y' })];
  const { headers, body } = requestOf(tensors);
  const found = tensorsIn({ status: 200, headers, bytes: Buffer.from(body) });
  t.same(
    found.map(({ name, dtype, shape, data }) => ({
      name,
      dtype,
      shape,
      data: Uint8Array.from(data),
    })),
    tensors,
  );
});

t.test('what the server refused is said in its words, and another answer is none', async (t) => {
  const answer = (status: number, text: string) => () =>
    tensorsIn({ status, headers: {}, bytes: Buffer.from(text) });
  t.throws(answer(404, '{"error":"no tensors are kept"}'), /no tensors are kept/);
  t.throws(answer(502, '<html>'), /expected status 200, found 502/);
  for (const text of [
    '<html>',
    '{"outputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}',
  ])
    t.throws(answer(200, text), /binary form/);
});

t.test('no id leads to another path', async (t) => {
  t.equal(examplePath('m', '../../x'), '/api/v1/models/m/examples/..%2F..%2Fx');
});
