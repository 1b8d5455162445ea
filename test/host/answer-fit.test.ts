import { readFile } from 'node:fs/promises';
import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import type { InferRequest } from '../../src/core/infer.ts';
import type { Joining } from '../../src/core/joining.ts';
import type { Signature, Tensor } from '../../src/core/tensor.ts';
import { whyAnswerUnfit, whyUnlikeStable } from '../../src/host/answer-fit.ts';
import { type ShadowHost, startShadowHost } from '../../src/host/shadow-host.ts';
import { readOnnxSummary } from '../../src/repository/onnx-file.ts';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';
import { A_BIRTH, aHost, aHostLog, type Tested } from '../support/a-host.ts';
import { aModelFile } from '../support/a-model-file.ts';
import { aFakeSource, anOnnxSource } from '../support/a-source.ts';
import { aTensor, valuesOf } from '../support/a-tensor.ts';
import { anInferRequest } from '../support/an-infer-request.ts';

const SIGNATURE: Signature = {
  inputs: [],
  outputs: [
    { name: 'y', dtype: 'FP32', shape: [-1, 2] },
    { name: 'any', dtype: 'INT64', shape: [] },
    { name: 'words', dtype: 'BYTES', shape: [-1] },
  ],
};

const Y: Tensor = { name: 'y', dtype: 'FP32', shape: [3, 2], data: new Uint8Array(24) };

const asking = (...inputs: Tensor[]) => ({ inputs, outputs: ['y'] });

const JOINED = { joining: { kind: 'declared', doubt: undefined }, probe: false } as const;

t.test('what fits the declaration is let through, in any order and selection', async (t) => {
  const any: Tensor = { name: 'any', dtype: 'INT64', shape: [1, 2], data: new Uint8Array(16) };
  const words: Tensor = { name: 'words', dtype: 'BYTES', shape: [2], data: new Uint8Array(8) };
  for (const outputs of [[Y], [any, Y], [words], []]) {
    t.equal(whyAnswerUnfit(outputs, SIGNATURE), undefined);
  }
  t.equal(whyAnswerUnfit([Y], SIGNATURE, 3), undefined);
});

t.test('what does not fit is reported with what was declared and found', async (t) => {
  const wrong: readonly [Partial<Tensor>, RegExp][] = [
    [{ name: 'z' }, /'z' is not declared/],
    [{ dtype: 'INT32' }, /'y': expected datatype FP32 as declared, found INT32/],
    [{ shape: [], data: new Uint8Array(4) }, /expected shape \[-1,2\] as declared, found \[\]/],
    [{ shape: [2, 3] }, /expected shape \[-1,2\] as declared, found \[2,3\]/],
    [{ shape: [1, 2] }, /expected 8 bytes for shape \[1,2\], found 24/],
  ];
  for (const [parts, message] of wrong) {
    t.match(whyAnswerUnfit([{ ...Y, ...parts }], SIGNATURE), message);
  }
  t.match(whyAnswerUnfit([Y], SIGNATURE, 2), /expected 2 rows as requested, found shape \[3,2\]/);
});

t.test("a version on trial answers in stable's form, with the rows of the request", async (t) => {
  const x: Tensor = { name: 'x', dtype: 'FP32', shape: [3, 1], data: new Uint8Array(12) };
  const unlike = (parts: Partial<Tensor>, joining: Joining | undefined) =>
    whyUnlikeStable([{ ...Y, ...parts }], { signature: SIGNATURE, joining }, asking(x))?.why;
  const twice = { shape: [6, 2], data: new Uint8Array(48) };
  const declared = (doubt?: string) => ({ kind: 'declared', doubt }) as const;
  for (const joining of [{ kind: 'probed' }, declared()] as const) {
    t.match(unlike(twice, joining), /expected 3 rows as requested, found shape \[6,2\]/);
    t.equal(unlike({}, joining), undefined);
  }
  const scalar = { shape: [], data: new Uint8Array(4) };
  const apart = [undefined, { kind: 'off', because: '' }, declared('node X'), { kind: 'probing' }];
  for (const joining of apart as readonly (Joining | undefined)[]) {
    t.equal(unlike(twice, joining), undefined, 'its rows need not be those of the request');
    t.match(unlike(scalar, joining), /expected shape \[-1,2\] as declared, found \[\]/);
  }
});

t.test('an optional input does not determine the rows of a request', (t) => {
  const x: Tensor = { name: 'x', dtype: 'FP32', shape: [3, 1], data: new Uint8Array(12) };
  const one: Tensor = { name: 'one', dtype: 'FP32', shape: [1], data: new Uint8Array(4) };
  const optional = { name: 'one', dtype: 'FP32', shape: [1], optional: true } as const;
  const signature = { ...SIGNATURE, inputs: [...SIGNATURE.inputs, optional] };
  const asked = asking(one, x);
  const stable = { signature, joining: { kind: 'probed' } } as const;
  t.equal(whyUnlikeStable([Y], stable, asked), undefined);
  const short = whyUnlikeStable([{ ...Y, shape: [1, 2] }], stable, asked);
  t.match(short, { kind: 'shape', why: /expected 3 rows/ });
  t.end();
});

t.test(
  'an output that stable gives and a version on trial does not is missing, if it is wanted',
  (t) => {
    const stable = { signature: SIGNATURE, joining: undefined };
    const why = (outputs: readonly string[] | undefined) =>
      whyUnlikeStable([Y], stable, { inputs: [], outputs });
    t.match(why(undefined), { kind: 'missing', why: "expected output 'any', found 'y'" });
    t.match(why(['words', 'y']), { kind: 'missing', why: /expected output 'words'/ });
    t.equal(why(['y']), undefined);
    t.equal(why(['y', 'more']), undefined, 'what stable does not have is not held');
    t.end();
  },
);

/** y = x * factor, x [N,2]; factor is 2 where it is left out. */
function aScalingModel(): string {
  const row = { dtype: 'FP32', shape: [-1, 2] } as const;
  const model = newModel({
    name: 'scaling',
    inputs: [
      { name: 'factor', dtype: 'FP32', shape: [1] },
      { name: 'x', ...row },
    ],
    outputs: [{ name: 'y', ...row }],
  });
  addInitialiser(model.graph, floats('factor', [1], [2]));
  addNode(model.graph, { op: 'Mul', inputs: ['x', 'factor'], outputs: ['y'] });
  return aModelFile(writeModel(model));
}

t.test('a request of many rows that gives such an input first is held to its rows', async (t) => {
  const file = aScalingModel();
  const { edits } = readOnnxSummary(await readFile(file));
  for (const tier of ['thread', 'process'] as const) {
    const { host } = await aHost(t, { tier, source: anOnnxSource(file, { edits }) });
    const factor = aTensor([3], { name: 'factor', shape: [1] });
    const inputs = [factor, aTensor([1, 2, 3, 4, 5, 6], { shape: [3, 2] })];
    const { outputs, batch } = await host.infer(
      { ...anInferRequest(), inputs },
      new AbortController().signal,
    );
    t.strictSame(valuesOf(outputs[0]), [3, 6, 9, 12, 15, 18]);
    t.equal(batch.rows, 3);
  }
});

/** A shadow host of these fake models: candidate and twin. */
async function aShadowHost(
  t: Tested,
  [candidate, twin]: readonly [string, string],
  stableForm?: () => Signature,
): Promise<ShadowHost> {
  const shadow = await startShadowHost({
    candidate: aFakeSource(candidate, { version: '2' }),
    twin: aFakeSource(twin),
    stableForm,
    joinings: { candidate: JOINED, twin: JOINED },
    birth: A_BIRTH,
    queue: { requestsMax: 8, bytesMax: 1_000_000 },
    batchRowsMax: 8,
    runMsMax: 10_000,
    loadMsMax: 60_000,
    clock: systemClock,
    listeners: aHostLog().listeners,
  });
  t.teardown(() => shadow.close());
  return shadow;
}

const ANSWERS_SCALAR = anInferRequest([7, 2, 3, 4]);

// Published models declare wrong shapes, and every other server answers for them.
t.test(
  'a version is served as it answers, and a declaration it breaks is reported once',
  async (t) => {
    for (const tier of ['thread', 'process'] as const) {
      const source = aFakeSource('width=4&scalarOn=7');
      const { host, log } = await aHost(t, { tier, source });
      const ask = (request: InferRequest) => host.infer(request, new AbortController().signal);
      await ask(anInferRequest());
      t.same(host.form(), host.signature, 'all of it, as far as is known');
      for (const _ of [1, 2]) t.same((await ask(ANSWERS_SCALAR)).outputs[0]?.shape, []);
      t.same(host.form().outputs, []);
      t.same(log.unkept, ['y']);
      t.same((await ask(anInferRequest())).outputs[0]?.shape, [1, 4]);
    }
  },
);

t.test('what live answers of stable do not keep to is asked of no candidate', async (t) => {
  const form = { inputs: [], outputs: [] };
  const shadow = await aShadowHost(t, ['width=4&scalarOn=7', 'width=4&scalarOn=7'], () => form);
  const plan = { twin: false, candidateFirst: true };
  const result = await shadow.run(
    { ...ANSWERS_SCALAR, deadlineMs: systemClock.monotonicMs() + 20_000 },
    plan,
  );
  t.equal(result.candidate.kind, 'answer');
});

t.test(
  'the shadow host counts it as a failure of the one that answers so, twin as candidate',
  async (t) => {
    for (const [candidate, twin, expected] of [
      ['width=4&scalarOn=7', 'width=4', ['failure', 'answer']],
      ['width=4', 'width=4&scalarOn=7', ['answer', 'failure']],
    ] as const) {
      const shadow = await aShadowHost(t, [candidate, twin]);
      const plan = { twin: true, candidateFirst: true };
      const result = await shadow.run(
        { ...ANSWERS_SCALAR, deadlineMs: systemClock.monotonicMs() + 20_000 },
        plan,
      );
      t.same([result.candidate.kind, result.twin?.kind], expected);
    }
  },
);
