import path from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { DTYPES, type Dtype, elementCount, type Tensor } from '../../src/core/tensor.ts';
import { encodeResult } from '../../src/engine/encode-result.ts';
import { type EngineOptions, openEngine } from '../../src/engine/engine.ts';
import { reshapedModel } from '../../src/engine/reshaped-model.ts';
import { shapeHint } from '../../src/engine/shape-hint.ts';
import { warmUp } from '../../src/engine/warm-up.ts';
import { decodeFrame } from '../../src/frame/decode-frame.ts';
import { onnxRuntime } from '../../src/runtime/onnx.ts';
import { aModelFile, anIdentityModel } from '../support/a-model-file.ts';
import { aFakeSource, anOnnxSource } from '../support/a-source.ts';
import { aTensor, valuesOf } from '../support/a-tensor.ts';

/** An engine of fake models that is closed when the test ends, and what its listeners got. */
async function anEngine(t: Test, given: Partial<EngineOptions> = {}) {
  const stuck: number[] = [];
  const errors: string[] = [];
  let onFree = (): void => undefined;
  const engine = await openEngine({
    sources: [aFakeSource()],
    replicas: 1,
    clock: systemClock,
    runMsMax: 10_000,
    onFree: () => onFree(),
    onStuck: (runMs) => stuck.push(runMs),
    onInternalError: (operation, error) => errors.push(`${operation}: ${error}`),
    ...given,
  });
  t.teardown(() => engine.close());
  const whenFree = (): Promise<void> =>
    new Promise((resolve) => {
      onFree = resolve;
      if (engine.free() > 0) resolve();
    });
  return { engine, stuck, errors, whenFree };
}

t.test('a plan runs its sources in order on the same bytes, each timed', async (t) => {
  const sources = [aFakeSource('scale=2&delayMs=30'), aFakeSource('scale=3')];
  const { engine } = await anEngine(t, { sources });
  t.equal(engine.models.length, 2);
  const { runs } = await engine.run([aTensor([1, 2, 3, 4])], [1, 0]);
  const [second, first] = runs.map((run) => (run.kind === 'answer' ? run : undefined));
  t.strictSame(valuesOf(second?.outputs[0]), [3, 6, 9, 12]);
  t.strictSame(valuesOf(first?.outputs[0]), [2, 4, 6, 8]);
  t.ok((first?.computeMs ?? 0) >= 28, 'the slow one was timed by itself');
  t.ok((second?.computeMs ?? 99) < 28);
});

t.test('one source that fails leaves the other its answer', async (t) => {
  const { engine } = await anEngine(t, { sources: [aFakeSource('throwOn=7'), aFakeSource()] });
  const { runs } = await engine.run([aTensor([7, 0, 0, 0])], [0, 1]);
  t.strictSame(
    runs.map(({ kind }) => kind),
    ['failure', 'answer'],
  );
  t.match(runs[0], { code: 'runtime_failed', message: 'refused the value 7' });
});

t.test('NaN is found in the answers of those requests of a batch that have it', async (t) => {
  const sources = [aFakeSource(), aFakeSource('nanOn=7')];
  const { engine } = await anEngine(t, { sources });
  const inputs = [aTensor([1, 2, 3, 4, 5, 7, 8, 9, 7, 1, 1, 1], { shape: [3, 4] })];
  const run = async (scannedRows: readonly number[]) =>
    (await engine.run(inputs, [0, 1], { requests: [], scannedRows })).nonFinite;
  t.strictSame(await run([1, 2]), [{ run: 1, request: 1, output: 'y' }]);
  t.strictSame(
    await run([2, 1]),
    [0, 1].map((request) => ({ run: 1, request, output: 'y' })),
  );
  t.strictSame(await run([3]), [{ run: 1, request: 0, output: 'y' }]);
  t.strictSame(await run([]), [], 'nothing is looked through without being asked for');
});

t.test('a reshaped model takes and gives the shapes that callers see', async (t) => {
  const reshapes = [
    { side: 'input', name: 'x', served: [-1, 4], model: [-1, 2, 2] },
    { side: 'output', name: 'y', served: [-1, 4, 1], model: [-1, 2, 2] },
  ] as const;
  const file = aModelFile(anIdentityModel('FP32', [-1, 2, 2]));
  const { engine } = await anEngine(t, { sources: [anOnnxSource(file, { reshapes })] });
  t.match(engine.models[0]?.signature, {
    inputs: [{ shape: [-1, 4] }],
    outputs: [{ shape: [-1, 4, 1] }],
  });
  const values = [1, 2, 3, 4, 5, 6, 7, 8];
  const { runs } = await engine.run([aTensor(values, { shape: [2, 4] })], [0]);
  const [first] = runs[0]?.kind === 'answer' ? runs[0].outputs : [];
  t.same(first?.shape, [2, 4, 1]);
  t.strictSame(valuesOf(first), values);
  const plain = await onnxRuntime.open(anOnnxSource(file));
  t.equal(reshapedModel(plain, []), plain, 'without reshapes it is the model itself');
  await plain.close();
  const other = await engine.run([aTensor(values, { shape: [4, 2] })], [0]);
  t.match(other.runs[0], { code: 'runtime_failed', message: /expected shape \[-1,4\]/ });
});

t.test('a failure says what about the shapes of its request may have led to it', async (t) => {
  const x = (...shape: readonly number[]) => aTensor(Array(elementCount(shape)).fill(7), { shape });
  t.equal(shapeHint([x(2, 2), { ...x(2), name: 'z' }]), '');
  t.equal(shapeHint([x(), { ...x(2), name: 'z' }]), '', 'a scalar counts nothing');
  t.match(shapeHint([x(0, 4)]), /Input 'x' has no elements, found shape \[0,4\].*batch\.rowsMax/);
  t.match(
    shapeHint([x(2, 2), { ...x(3, 1), name: 'z' }]),
    /'x' \[2,2\], 'z' \[3,1\].*batch\.rowsMax.*batch: off/,
  );
  const { engine } = await anEngine(t, { sources: [aFakeSource('throwOn=7')] });
  const { runs } = await engine.run([x(1, 2), { ...x(2, 1), name: 'z' }], [0]);
  t.match(runs[0], {
    code: 'runtime_failed',
    message: /^refused the value 7\. The first dimensions/,
  });
});

t.test('replicas run side by side, each with one batch ahead at most', async (t) => {
  const { engine } = await anEngine(t, { replicas: 2, sources: [aFakeSource('delayMs=20')] });
  const count = () => ({ free: engine.free(), ahead: engine.ahead() });
  t.strictSame(count(), { free: 2, ahead: 0 });
  const batches = [1, 2].map((value) => engine.run([aTensor([value])], [0]));
  t.strictSame(count(), { free: 0, ahead: 2 });
  batches.push(...[3, 4].map((value) => engine.run([aTensor([value])], [0])));
  t.strictSame(count(), { free: 0, ahead: 0 });
  await t.rejects(engine.run([aTensor([5])], [0]), { message: 'no replica can take a batch' });
  await Promise.all(batches);
  t.strictSame(count(), { free: 2, ahead: 0 });
});

t.test('a batch that was handed ahead is timed from its own start', async (t) => {
  const { engine } = await anEngine(t, { sources: [aFakeSource('blockMs=300')] });
  const [first, ahead] = await Promise.all([
    engine.run([aTensor([1])], [0]),
    engine.run([aTensor([2])], [0]),
  ]);
  for (const { takenMs, runs } of [first, ahead]) {
    const [run] = runs;
    t.ok(takenMs >= 290 && takenMs < 590, `taken for ${takenMs} ms`);
    t.ok(run?.kind === 'answer' && run.computeMs < 590);
  }
});

t.test('a run that takes too long fails what was handed ahead of time behind it', async (t) => {
  const source = aFakeSource('hangOn=7&hangMs=800');
  const { engine, stuck } = await anEngine(t, { runMsMax: 100, sources: [source] });
  const settled = await Promise.allSettled([
    engine.run([aTensor([7])], [0]),
    engine.run([aTensor([1])], [0]),
  ]);
  t.match(settled, [{ reason: { code: 'runtime_failed' } }, { reason: { code: 'host_lost' } }]);
  t.strictSame(stuck, [100]);
});

t.test('a source that cannot be loaded is named with its reason', async (t) => {
  const sources = [aFakeSource(), aFakeSource('failLoad=no+weights', { version: '9' })];
  await t.rejects(anEngine(t, { sources }), { message: 'm version 9: no weights' });
});

t.test('a thread that dies loses its run only, and another takes its place', async (t) => {
  const { engine, whenFree } = await anEngine(t, { sources: [aFakeSource('exitOn=7')] });
  await t.rejects(engine.run([aTensor([7])], [0]), { code: 'host_lost' });
  await whenFree();
  const [run] = (await engine.run([aTensor([1])], [0])).runs;
  t.equal(run?.kind, 'answer');
});

t.test('a batch that no frame can carry is refused, and the thread stays', async (t) => {
  const { engine, errors } = await anEngine(t);
  const running = engine.run([aTensor([1])], [0]);
  const data = new Array<Uint8Array>(17).fill(new Uint8Array(64 * 1024 * 1024));
  const large = { name: 'x', dtype: 'UINT8', shape: [17 * 64 * 1024 * 1024], data } as const;
  await t.rejects(engine.run([large], [0]), {
    code: 'too_large',
    message: /expected at most 1073741824 bytes, found 1140850\d+/,
  });
  const wide = { ...aTensor([]), shape: [0, 2 ** 32] };
  await t.rejects(engine.run([wide], [0]), { code: 'too_large', message: /fits 32 bits/ });
  t.equal((await running).runs[0]?.kind, 'answer', 'what ran in parallel with it is answered');
  t.equal(engine.free(), 1);
  t.strictSame(errors, []);
});

t.test('outputs that no frame can carry are a failure of the model', async (t) => {
  const good = { kind: 'failure', code: 'runtime_failed', message: 'refused' } as const;
  const outputs = [{ ...aTensor([]), shape: [0, 2 ** 32] }];
  const result = decodeFrame(
    encodeResult([{ kind: 'answer', computeMs: 1, outputs }, good], []),
    systemClock,
  );
  t.match(result, {
    kind: 'result',
    runs: [{ code: 'runtime_failed', message: /outputs are too large: .*found 4294967296/ }, good],
  });
});

// The thread is blocked as native code blocks it. It must not be terminated, and cannot be: it is left behind.
t.test('a run that takes too long is given up and its thread replaced', async (t) => {
  const source = aFakeSource('hangOn=7&hangMs=1500');
  const { engine, stuck, whenFree } = await anEngine(t, { runMsMax: 150, sources: [source] });
  await t.rejects(engine.run([aTensor([7])], [0]), {
    code: 'runtime_failed',
    message: 'the run took longer than 150 ms',
  });
  t.strictSame(stuck, [150]);
  await whenFree();
  const [run] = (await engine.run([aTensor([1])], [0])).runs;
  t.equal(run?.kind, 'answer');
});

t.test('closing waits for what runs, for each that closes', async (t) => {
  const { engine } = await anEngine(t, { sources: [aFakeSource('blockMs=100')] });
  const running = engine.run([aTensor([1])], [0]);
  await Promise.all([engine.close(), engine.close()]);
  t.equal((await running).runs[0]?.kind, 'answer');
  await t.rejects(engine.run([aTensor([1])], [0]), { code: 'internal' });
});

const X = { name: 'x', dtype: 'FP32', shape: [2, 4] } as const;

t.test('a model that cannot be loaded is named by its path in the repository', async (t) => {
  const root = t.testdir({ m: { 1: { 'model.onnx': 'no model' } } });
  const source = anOnnxSource(path.join(root, 'm/1/model.onnx'));
  const reason = await anEngine(t, { sources: [source] }).then(
    () => 'loaded',
    (error: Error) => error.message,
  );
  t.match(reason, /^m version 1: cannot load m\/1\/model\.onnx \(cpu: /);
  t.notMatch(reason, root);
});

t.test('every replica answers each warm-up before it is free', async (t) => {
  const warmups = [
    { name: 'zeros', count: 3, inputs: [{ ...X, content: { kind: 'zeros' } as const }] },
  ];
  const startedMs = systemClock.monotonicMs();
  const sources = [aFakeSource('blockMs=40', { warmups })];
  const { engine } = await anEngine(t, { sources, replicas: 2 });
  const tookMs = systemClock.monotonicMs() - startedMs;
  t.ok(tookMs >= 150, `zeros of our own and three more took ${tookMs} ms`);
  t.equal(engine.free(), 2);
});

t.test(
  'a warm-up that the model refuses fails the load by name, unlike our own zeros',
  async (t) => {
    const zeros = {
      name: 'nothing',
      count: 1,
      inputs: [{ ...X, content: { kind: 'zeros' } as const }],
    };
    const source = aFakeSource('throwOn=0');
    const { engine } = await anEngine(t, { sources: [source] });
    t.equal(engine.free(), 1);
    await t.rejects(anEngine(t, { sources: [{ ...source, warmups: [zeros] }] }), {
      message: 'm version 1: warm-up "nothing": refused the value 0',
    });
  },
);

t.test('a warm-up of a file has its bytes, and one that is gone is named', async (t) => {
  const file = aModelFile(new Uint8Array(Float32Array.of(1, 2, 3, 7, 5, 6, 7, 8).buffer));
  const of = (path: string) => [
    { name: 'kept', count: 1, inputs: [{ ...X, content: { kind: 'file', file: path } as const }] },
  ];
  const load = (path: string) =>
    anEngine(t, { sources: [aFakeSource('throwOn=7', { warmups: of(path) })] });
  await t.rejects(load(file), { message: 'm version 1: warm-up "kept": refused the value 7' });
  await t.rejects(load('/no/such/file'), { message: /^m version 1: warm-up "kept": ENOENT/ });
});

t.test('a random warm-up of any datatype is one that a model takes', async (t) => {
  for (const dtype of DTYPES) {
    if (dtype === 'BF16') continue;
    const content = { kind: 'random', seed: 7 } as const;
    const inputs = [{ name: 'x', dtype, shape: [3, 2], content }];
    const warmups = [{ name: 'any', count: 1, inputs }];
    const source = anOnnxSource(aModelFile(anIdentityModel(dtype)), { warmups });
    await t.resolves(anEngine(t, { sources: [source] }), dtype);
  }
});

t.test('random inputs are small, and the same for the same seed', async (t) => {
  const given: Tensor[][] = [];
  const signature = { inputs: [], outputs: [] };
  const model = {
    signature,
    concurrency: 1,
    provider: { requested: [], actual: 'cpu', fallbackReason: undefined },
    run: async (inputs: readonly Tensor[]) => [...(given[given.push([...inputs]) - 1] ?? [])],
    close: async () => undefined,
  };
  const input = (dtype: Dtype, seed: number) =>
    ({ name: dtype, dtype, shape: [50], content: { kind: 'random', seed } }) as const;
  const inputs = [input('FP32', 1), input('INT64', 2), input('FP16', 3), input('FP32', 1)];
  await warmUp(model, [{ name: 'any', count: 2, inputs }]);
  t.equal(given.length, 3, 'zeros, then twice');
  const [floats, wholes, halves, again] = given[2]?.map(({ data }) => data) ?? [];
  t.strictSame(again, floats);
  const values = new Float32Array(Uint8Array.from(floats ?? []).buffer);
  t.ok(values.every((value) => value >= 0 && value < 1) && new Set(values).size > 40);
  const digits = new BigInt64Array(Uint8Array.from(wholes ?? []).buffer);
  t.ok(digits.every((digit) => digit >= 0n && digit <= 9n) && new Set(digits).size > 5);
  const bits = new Uint16Array(Uint8Array.from(halves ?? []).buffer);
  t.ok(bits.every((half) => half <= 0x3c00) && new Set(bits).size > 5, 'from 0 up to 1, rounded');
});
