import t from 'tap';
import type { Tensor } from '../../src/core/tensor.ts';
import { contentOf } from '../../src/mirror/content.ts';

function aRequest(bytes: readonly number[] | Uint8Array, over: Partial<Tensor> = {}) {
  const data = Uint8Array.from(bytes);
  const input: Tensor = { name: 'x', dtype: 'UINT8', shape: [1, data.length], data, ...over };
  return { id: 'r1', unit: 'r1', inputs: [input] };
}

t.test('requests share their content where all of their inputs are the same bytes', async (t) => {
  const content = contentOf(aRequest([1, 2, 3, 4]));
  t.type(content, 'string');
  t.equal(contentOf({ ...aRequest([1, 2, 3, 4]), id: 'r2', unit: 'r2' }), content);
  t.not(contentOf(aRequest([1, 2, 3, 5])), content);
  t.not(contentOf(aRequest([1, 2, 3, 4], { shape: [2, 2] })), content);
  t.not(contentOf(aRequest([1, 2, 3, 4], { name: 'y' })), content);
});

t.test('a request of a unit that comes again needs none', async (t) => {
  t.equal(contentOf({ ...aRequest([1]), unit: 'user 7' }), undefined);
});

t.test('of large inputs the ends, parts between them and the length are looked at', async (t) => {
  const large = new Uint8Array(1_000_000);
  const content = contentOf(aRequest(large));
  for (const at of [0, 999_999]) {
    const other = Uint8Array.from(large);
    other[at] = 1;
    t.not(contentOf(aRequest(other)), content, `byte ${at}`);
  }
  t.not(contentOf(aRequest(large.subarray(1))), content);
});
