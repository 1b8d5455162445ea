import path from 'node:path';
import t from 'tap';
import { joinByteStrings } from '../../src/core/byte-strings.ts';
import {
  DTYPE_BYTES,
  type Dtype,
  elementCount,
  formatShape,
  type Tensor,
} from '../../src/core/tensor.ts';
import { chooseRuntime } from '../../src/runtime/choose-runtime.ts';
import type { OpenModel, Source } from '../../src/runtime/runtime.ts';
import { aModelFile, anIdentityModel } from '../support/a-model-file.ts';
import { aFakeSource, anOnnxSource } from '../support/a-source.ts';
import { aTensor, valuesOf } from '../support/a-tensor.ts';
import { projectRoot } from '../support/project-root.ts';

const FASHION = path.join(projectRoot, 'models/fashion/1/model.onnx');

/** The identity of a bfloat16 tensor; the writer in this repository cannot make one, nor sequences. */
const BFLOAT16_MODEL =
  'CAg6QQoQCgF4EgF5IghJZGVudGl0eRIBYloUCgF4Eg8KDQgQEgkKAxIBTgoCCAJiFAoBeRIPCg0IEBIJCgMSAU4KAggCQgQKABAR';
/** A graph whose output is a sequence of tensors. */
const SEQUENCE_MODEL =
  'CAgSADpDChkKAXgSAXkiEVNlcXVlbmNlQ29uc3RydWN0EgFzWhQKAXgSDwoNCAESCQoDEgFOCgIIAmINCgF5EggiBgoECgIIAUIECgAQEQ==';

async function openModel(source: Source): Promise<OpenModel> {
  return (await chooseRuntime(source)).open(source);
}

function anIdentityTensor(dtype: Dtype, shape: readonly number[]): Tensor {
  const count = elementCount(shape);
  const words = ['naïve 🎭', '', 'b', 'c'].map((text) => new TextEncoder().encode(text));
  const bytes = Uint8Array.from({ length: DTYPE_BYTES[dtype] * count }, (_, at) => (at * 7) % 2);
  const data = dtype === 'BYTES' ? joinByteStrings(words.slice(0, count)) : bytes;
  return { name: 'x', dtype, shape, data };
}

/** What a model declares, and what it is given. */
const SHAPES: readonly { declared: readonly number[]; given: readonly number[] }[] = [
  { declared: [-1, 2], given: [2, 2] },
  { declared: [], given: [] },
  { declared: [-1, 2], given: [0, 2] },
  { declared: [0, 3], given: [0, 3] },
  { declared: [-1, -1, -1], given: [1, 2, 2] },
];

for (const dtype of Object.keys(DTYPE_BYTES) as Dtype[]) {
  if (dtype === 'BF16') continue;
  for (const { declared, given } of SHAPES) {
    const shapes = `${formatShape(given)} for ${formatShape(declared)}`;
    t.test(`${dtype} ${shapes} goes through a model unchanged`, async (t) => {
      const model = await openModel(anOnnxSource(aModelFile(anIdentityModel(dtype, declared))));
      t.strictSame(model.signature.inputs, [{ name: 'x', dtype, shape: declared }]);
      const sent = anIdentityTensor(dtype, given);
      const [received] = await model.run([sent]);
      t.strictSame({ ...received, name: 'x' }, sent);
      await model.close();
    });
  }
}

t.test('a view at an odd offset is copied, not misread', async (t) => {
  const model = await openModel(anOnnxSource(aModelFile(anIdentityModel('FP32'))));
  const { data } = aTensor([1, 2]);
  const shifted = new Uint8Array(9);
  shifted.set(data, 1);
  const [output] = await model.run([aTensor([1, 2], { data: shifted.subarray(1) })]);
  t.strictSame(valuesOf(output), [1, 2]);
});

t.test('data that contradicts its shape is refused with both lengths', async (t) => {
  const model = await openModel(anOnnxSource(aModelFile(anIdentityModel('FP32'))));
  await t.rejects(model.run([aTensor([1, 2], { shape: [2, 2] })]), {
    message: "input 'x': FP32 of shape [2,2] needs 16 bytes, found 8",
  });
});

t.test('a string that the runtime would change is refused', async (t) => {
  const model = await openModel(anOnnxSource(aModelFile(anIdentityModel('BYTES'))));
  const ask = (...bytes: number[]) => {
    const data = joinByteStrings([Uint8Array.of(0x61), Uint8Array.from(bytes)]);
    return model.run([{ name: 'x', dtype: 'BYTES', shape: [1, 2], data }]);
  };
  await t.rejects(ask(0xff, 0xfe), { message: /input 'x\[1\]': expected a string in UTF-8/ });
  await t.rejects(ask(0x61, 0x00), { message: /input 'x\[1\]': expected a string without zero/ });
  const [marked] = await ask(0xef, 0xbb, 0xbf, 0x62);
  t.strictSame([...(marked?.data ?? [])].slice(-4), [0xef, 0xbb, 0xbf, 0x62], 'nor is a mark lost');
});

t.test('a bfloat16 model is refused in plain words', async (t) => {
  const source = anOnnxSource(aModelFile(Buffer.from(BFLOAT16_MODEL, 'base64')));
  await t.rejects(openModel(source), { message: /has a bfloat16 input or output/ });
});

t.test('a model that gives a sequence is refused when it is loaded', async (t) => {
  const source = anOnnxSource(aModelFile(Buffer.from(SEQUENCE_MODEL, 'base64')));
  await t.rejects(openModel(source), { message: /'y' is a sequence or a map/ });
});

t.test('a corrupt or missing file is refused by name', async (t) => {
  const file = aModelFile(Buffer.from('not a model'));
  await t.rejects(openModel(anOnnxSource(file)), { message: new RegExp(`cannot load ${file}`) });
  const onDevice = anOnnxSource('/no/such/file', { providers: ['cuda'] });
  await t.rejects(openModel(onDevice), {
    message: /\(cuda: .*KIND_GPU in config\.pbtxt.*found none.*KIND_CPU.*execution\.strict: false/,
  });
  await t.rejects(openModel(anOnnxSource('/no/such/file')), { message: /cannot load \/no\/such/ });
});

// The runtime itself would quietly use the processor.
t.test('a misspelt provider is refused with the names there are', async (t) => {
  const source = anOnnxSource(FASHION, { providers: ['cdua', 'cpu'], strict: false });
  await t.rejects(openModel(source), { message: /expected one of cpu, cuda,.* found 'cdua'/ });
});

// No graphics card where the tests run: the first provider cannot be had.
t.test('a provider that is missing fails if strict, else falls back and says why', async (t) => {
  await t.rejects(openModel(anOnnxSource(FASHION, { providers: ['tensorrt', 'cpu'] })), {
    message: /tensorrt: /,
  });
  const model = await openModel(anOnnxSource(FASHION, { providers: ['tensorrt'], strict: false }));
  t.equal(model.provider.actual, 'cpu');
  t.match(model.provider.fallbackReason, /^tensorrt: /);
});

t.test('the fake model scales and shifts, and does what its query says', async (t) => {
  const model = await openModel(aFakeSource('scale=2&bias=1&throwOn=7&width=3'));
  t.strictSame(model.signature.inputs[0]?.shape, [-1, 3]);
  const [output] = await model.run([aTensor([1, 2, 3])]);
  t.strictSame(valuesOf(output), [3, 5, 7]);
  await t.rejects(model.run([aTensor([1, 7, 3])]), { message: 'refused the value 7' });
  await t.rejects(openModel(aFakeSource('failLoad=no+luck')), { message: 'no luck' });
  await t.rejects(openModel(aFakeSource('dealyMs=1')), { message: /unknown key 'dealyMs'/ });
});
