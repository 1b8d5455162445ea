import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, type Case, type Finding, fail, skip, type Wire } from '../case.ts';
import type { Datatype } from '../wire/datatype.ts';
import { describeCall, describeReply, type InferCall, type InferWire } from '../wire/infer-call.ts';
import { difference, type KitTensor, type Tolerance } from '../wire/tensor.ts';
import { type OnnxTest, readOutlook } from './find-tests.ts';
import { knownDifference, toleranceFor } from './known-differences.ts';
import { readTensorFile } from './tensor-file.ts';

/** Beyond this a case is not sent as JSON: it would only take long. */
const JSON_BYTES_MAX = 65_536;

/**
 * How far a runtime may be from the reference, which computes in another order and sometimes in another precision: the
 * tolerances of ONNX's own runner for 32 bits, wider for 16, and one step of rounding for what is quantised to 8.
 */
const TOLERANCE: Readonly<Partial<Record<Datatype, Tolerance>>> = {
  FP16: { absolute: 1e-3, relative: 1e-2 },
  FP32: { absolute: 1e-5, relative: 1e-3 },
  FP64: { absolute: 1e-7, relative: 1e-3 },
  INT8: { absolute: 1, relative: 0 },
  UINT8: { absolute: 1, relative: 0 },
};

type DataSet = {
  readonly name: string;
  readonly inputs: readonly KitTensor[];
  readonly outputs: readonly KitTensor[];
};

/** A test of ONNX's as a case: every data set through a wire, held against the outputs that ONNX computed. */
export function onnxCase(test: OnnxTest): Case {
  const { model } = test;
  let read: Promise<readonly DataSet[] | string> | undefined;
  return {
    ...{ id: `onnx.${model.slice('onnx_'.length)}`, section: 'onnx', level: 'extension' },
    claim: 'the model answers what ONNX says that it answers',
    reference: `ONNX backend tests, ${model}`,
    models: [model],
    wires: ['rest-json', 'rest-binary', 'grpc-raw'],
    run: async (bench, wire) => {
      read ??= readTest(test);
      const sets = await read;
      if (typeof sets === 'string') return skip(sets);
      const finding = await run(bench, wire, { model, sets });
      const why = knownDifference(model);
      if (finding.kind !== 'fail' || why === undefined) return finding;
      return skip(`the runtime is known to answer otherwise: ${why}`);
    },
  };
}

type Work = { readonly model: string; readonly sets: readonly DataSet[] };

async function run({ infer }: Bench, wire: Wire, { model, sets }: Work): Promise<Finding> {
  const answered: KitTensor[] = [];
  for (const { name, inputs, outputs } of sets) {
    const bytes = [...inputs, ...outputs].reduce((sum, tensor) => sum + tensor.bytes.length, 0);
    if (wire === 'rest-json' && bytes > JSON_BYTES_MAX) return skip('larger than is sent as JSON');
    const call: InferCall = { model, inputs };
    const reply = await infer[wire as InferWire](call);
    const request = `${name}: ${describeCall(call)}`;
    const expected = outputs.map((output) => `${output.name} ${output.datatype}[${output.shape}]`);
    if (reply.kind !== 'answer') {
      return fail({ request, expected: expected.join(', '), found: describeReply(reply) });
    }
    for (const output of outputs) {
      const found = reply.answer.outputs.find((each) => each.name === output.name);
      const wrong = difference(output, found, toleranceFor(model) ?? TOLERANCE[output.datatype]);
      if (wrong !== undefined)
        return fail({ request, expected: 'what ONNX computed', found: wrong });
    }
    answered.push(...reply.answer.outputs);
  }
  return { kind: 'pass', outputs: answered };
}

/** The data sets; or why there is nothing to send or to compare. */
async function readTest(test: OnnxTest): Promise<readonly DataSet[] | string> {
  const { inputs, outputs, random } = await readOutlook(test);
  if (random.length > 0) return `answers at random (${random[0]})`;
  try {
    return await Promise.all(
      test.dataSets.map(async (name) => ({
        name,
        inputs: await readTensors(join(test.folder, name), 'input', inputs),
        outputs: await readTensors(join(test.folder, name), 'output', outputs),
      })),
    );
  } catch (error) {
    return `its data cannot be sent: ${error instanceof Error ? error.message : error}`;
  }
}

/** `input_0.pb` is the first input of the model, and so on; a name inside of the file goes before that. */
async function readTensors(
  folder: string,
  side: 'input' | 'output',
  names: readonly string[],
): Promise<readonly KitTensor[]> {
  const files = (await readdir(folder)).filter((file) => file.startsWith(`${side}_`));
  return await Promise.all(
    files.map(async (file) => {
      const at = Number(/_(\d+)\.pb$/.exec(file)?.[1]);
      const tensor = readTensorFile(await readFile(join(folder, file)));
      const name = names.includes(tensor.name) ? tensor.name : names[at];
      if (name === undefined) throw new Error(`${file}: the model has no such ${side}`);
      return { ...tensor, name };
    }),
  );
}
