import t from 'tap';

import type { Tensor } from '../../../src/core/tensor.ts';
import { INFERENCE, methodsOf } from '../../../src/protocol/grpc/definitions.ts';
import { type ContentsForm, encodeAnswer } from '../../../src/protocol/grpc/encode.ts';
import { DEFINITIONS } from './builders.ts';

type Decoded = {
  readonly outputs: readonly { readonly contents: object | null }[];
  readonly raw_output_contents: readonly Buffer[];
};

/** An answer as a client that is made from the proto files reads it. */
function decodedAnswer(outputs: readonly Tensor[], form: ContentsForm): Decoded {
  const response = {
    model: 'm',
    version: '1',
    outputs,
    timing: { queueMs: 0, computeMs: 0 },
    batch: { id: 1, rows: 1 },
  };
  const answer = { response, id: '', form, token: undefined };
  const infer = methodsOf(DEFINITIONS, INFERENCE)['ModelInfer'];
  return infer?.responseDeserialize(encodeAnswer(answer).toBuffer()) as Decoded;
}

const HALF: Tensor = { name: 'h', dtype: 'FP16', shape: [1], data: new Uint8Array([0, 60]) };
const WORD: Tensor = { name: 'w', dtype: 'INT32', shape: [1], data: new Uint8Array([7, 0, 0, 0]) };
const RAW = [Buffer.from(HALF.data), Buffer.from(WORD.data)];

t.test('half precision has no typed form: it is raw where others are both', async (t) => {
  t.match(decodedAnswer([HALF, WORD], 'both'), {
    outputs: [{ contents: null }, { contents: { int_contents: [7] } }],
    raw_output_contents: RAW,
  });
});

t.test(
  'half precision among the outputs makes all of them raw where only typed ones are wanted',
  async (t) => {
    t.match(decodedAnswer([HALF, WORD], 'typed'), {
      outputs: [{ contents: null }, { contents: null }],
      raw_output_contents: RAW,
    });
  },
);

// As bytes in each form: a negative whole number takes ten typed, and zero takes one.
const SIZES = [
  { dtype: 'FP32', elements: 500_000, value: 0, both: true },
  { dtype: 'FP32', elements: 550_000, value: 0, both: false },
  { dtype: 'INT8', elements: 500_000, value: 255, both: false },
  { dtype: 'INT8', elements: 500_000, value: 0, both: true },
  { dtype: 'FP32', elements: 1_100_000, value: 0, both: false },
] as const;

for (const { dtype, elements, value, both } of SIZES) {
  const form = both ? 'comes in both forms' : 'is raw alone, as clients take 4 MiB by default';
  t.test(`an answer of ${elements} times ${value} in ${dtype} ${form}`, async (t) => {
    const data = new Uint8Array(elements * (dtype === 'FP32' ? 4 : 1)).fill(value);
    const answer = decodedAnswer([{ name: 'y', dtype, shape: [elements], data }], 'both');
    t.equal(answer.outputs[0]?.contents !== null, both);
    t.equal(answer.raw_output_contents[0]?.length, data.length);
  });
}
