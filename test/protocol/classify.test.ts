import fc from 'fast-check';
import t from 'tap';
import type { Dtype, Tensor } from '../../src/core/tensor.ts';
import { type Classes, classify, createClassifier } from '../../src/protocol/classify.ts';
import { printFloat } from '../../src/protocol/print-float.ts';
import { aVersion } from '../gateway/builders.ts';

const TOP: Classes = { count: 2, labels: undefined, batched: true };

function tensor(shape: readonly number[], values: readonly number[]): Tensor {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return { name: 'y', dtype: 'FP32', shape, data };
}

/** The elements of a BYTES tensor. */
function elements({ data }: Tensor): readonly string[] {
  const bytes = Buffer.from(data);
  const found: string[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const length = bytes.readUInt32LE(at);
    found.push(bytes.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

t.test(
  'each row of a batch has its greatest scores, with labels where there are any',
  async (t) => {
    const scores = tensor([2, 3], [0.1, 0.7, 0.2, 3, 1, 2]);
    const top = classify(scores, { ...TOP, labels: ['a', '', 'ç'] });
    t.match(top, { name: 'y', dtype: 'BYTES', shape: [2, 2] });
    t.same(elements(top), ['0.700000:1', '0.200000:2:ç', '3.000000:0:a', '2.000000:2:ç']);
  },
);

t.test('what is no batch is one row, and no more scores are given than there are', async (t) => {
  const top = classify(tensor([2, 2], [1, 4, 3, 2]), { ...TOP, count: 9, batched: false });
  t.same(top.shape, [4]);
  t.same(elements(top), ['4.000000:1', '3.000000:2', '2.000000:3', '1.000000:0']);
  t.same(classify(tensor([], [5]), TOP).shape, [1]);
  t.same(classify(tensor([0, 3], []), TOP).shape, [0, 2]);
  t.same(classify(tensor([3, 0], []), TOP).shape, [3, 0]);
});

t.test('equal scores keep their order, and what is no number comes last', async (t) => {
  const scores = tensor([6], [1, NaN, 2, 1, -Infinity, 2]);
  const top = classify(scores, { count: 6, labels: undefined, batched: false });
  t.same(
    elements(top).map((each) => Number(each.split(':')[1])),
    [2, 5, 0, 3, 4, 1],
  );
  t.same(elements(top).slice(-2), ['-inf:4', 'nan:1']);
});

t.test('integers are written plainly, those of 64 bits exactly', async (t) => {
  const data = new Uint8Array(BigInt64Array.of(-1n, 2n ** 63n - 1n).buffer);
  const top = classify({ name: 'y', dtype: 'INT64', shape: [1, 2], data }, TOP);
  t.same(elements(top), ['9223372036854775807:1', '-1:0']);
  const bytes = classify({ name: 'y', dtype: 'UINT8', shape: [2], data: Buffer.of(7, 9) }, TOP);
  t.same(bytes.shape, [2, 1]);
});

t.test('scores need not be aligned', async (t) => {
  const { data, ...rest } = tensor([2], [1, 2]);
  const moved = Buffer.concat([Buffer.of(0), data]).subarray(1);
  t.same(elements(classify({ ...rest, data: moved }, { ...TOP, count: 1, batched: false })), [
    '2.000000:1',
  ]);
});

t.test(
  'a datatype without scores is refused, and more scores than an answer may have',
  async (t) => {
    for (const dtype of ['BOOL', 'BYTES', 'FP16', 'BF16'] satisfies Dtype[]) {
      const wrong = { name: 'y', dtype, shape: [0], data: new Uint8Array() };
      t.throws(() => classify(wrong, TOP), {
        code: 'invalid_input',
        message: /class result not available for output 'y'.*found/,
      });
    }
    const many = {
      name: 'y',
      dtype: 'UINT8',
      shape: [70_000],
      data: new Uint8Array(70_000),
    } as const;
    t.throws(() => classify(many, { ...TOP, count: 70_000, batched: false }), {
      code: 'too_large',
    });
    t.doesNotThrow(() => classify(many, { ...TOP, count: 1, batched: false }));
  },
);

t.test('the greatest are those that sorting would give', async () => {
  const score = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.float());
  fc.assert(
    fc.property(fc.array(score, { maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (all, k) => {
      const values = [...Float32Array.from(all)];
      const top = classify(tensor([values.length], values), {
        count: k,
        labels: undefined,
        batched: false,
      });
      const sorted = values
        .map((value, index) => ({
          value: Number.isNaN(value) ? -Infinity : value,
          index,
          raw: value,
        }))
        .sort(
          (a, b) =>
            b.value - a.value ||
            Number(Number.isNaN(a.raw)) - Number(Number.isNaN(b.raw)) ||
            a.index - b.index,
        );
      const expected = sorted.slice(0, k).map(({ index }) => index);
      const found = elements(top).map((each) => Number(each.split(':')[1]));
      return JSON.stringify(found) === JSON.stringify(expected);
    }),
  );
});

t.test(
  'only the outputs that are wanted as classes are replaced, also by a version that is gone',
  async (t) => {
    const response = {
      model: 'm',
      version: '1',
      outputs: [tensor([1, 2], [1, 2]), { ...tensor([1, 2], [1, 2]), name: 'z' }],
      timing: { queueMs: 0, computeMs: 0 },
      batch: { id: 1, rows: 1 },
    };
    const version = aVersion('1', { labels: new Map([['z', ['a', 'b']]]) });
    // Taken out of service after the request was taken, and before it is answered.
    const gateway = {
      versions: () => [version],
      version: () => {
        throw new Error('no such version');
      },
    };
    const { outputs } = createClassifier(gateway, 'm', new Map([['z', 1]]))(response);
    t.same(
      outputs.map(({ dtype }) => dtype),
      ['FP32', 'BYTES'],
    );
    t.same(outputs.slice(1).map(elements), [['2.000000:1:b']]);
  },
);

t.test('numbers are written as C writes them', async (t) => {
  const written: readonly [number, string][] = [
    [0, '0.000000'],
    [-0, '-0.000000'],
    [-1e-9, '-0.000000'],
    [0.1, '0.100000'],
    [1 / 128, '0.007812'],
    [3 / 128, '0.023438'],
    [-1 / 128, '-0.007812'],
    [1e21, '1000000000000000000000.000000'],
    [1e22, '10000000000000000000000.000000'],
    [-(2 ** 53), '-9007199254740992.000000'],
    [Infinity, 'inf'],
    [NaN, 'nan'],
  ];
  for (const [value, text] of written) t.equal(printFloat(value), text);
});
