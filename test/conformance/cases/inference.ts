/** Shapes, names, batches, versions: what surrounds the values of an inference. */
import { type Case, fail, pass } from '../case.ts';
import { listIn } from '../kinds/grpc.ts';
import { inferenceCase } from '../kinds/inference.ts';
import { IDENTITY_DATATYPES, identityModel, MODEL } from '../model-names.ts';
import { GRPC, REST } from '../references.ts';
import type { Value } from '../wire/datatype.ts';
import type { GrpcReply } from '../wire/grpc.ts';
import { describeCall, describeReply, INFER_WIRES, type InferWire } from '../wire/infer-call.ts';
import { isArray, isObject, type Json, JsonNumber } from '../wire/json.ts';
import { modelPath } from '../wire/rest.ts';
import { difference, type KitTensor, tensor } from '../wire/tensor.ts';

const reference = `${REST} and ${GRPC}, "Inference"`;

/** INPUT0 and INPUT1 of the add_sub model, and what it answers. */
export function addSub(rows: number): { inputs: KitTensor[]; outputs: KitTensor[] } {
  const shape = [rows, 16];
  const left = Array.from({ length: rows * 16 }, (_, index) => index * 3 - 7);
  const right = Array.from({ length: rows * 16 }, (_, index) => index + 1);
  const line = (values: readonly number[]) => ({ datatype: 'INT32', shape, values }) as const;
  return {
    inputs: [tensor('INPUT0', line(left)), tensor('INPUT1', line(right))],
    outputs: [
      tensor('OUTPUT0', line(left.map((value, index) => value + (right[index] ?? 0)))),
      tensor('OUTPUT1', line(left.map((value, index) => value - (right[index] ?? 0)))),
    ],
  };
}

function floats(name: string, shape: readonly number[], values: readonly number[]): KitTensor {
  return tensor(name, { datatype: 'FP32', shape, values });
}

export function inferenceCases(): readonly Case[] {
  return [
    ...batchCases(),
    ...outputCases(),
    ...shapeCases(),
    ...versionCases(),
    scalarCase(),
    ...awkwardBytesCases(),
  ];
}

function batchCases(): readonly Case[] {
  const [one, eight] = [addSub(1), addSub(8)];
  return [
    inferenceCase({
      ...{ id: 'inference.two-inputs', reference },
      claim: 'a model of two inputs and two outputs computes both',
      call: { model: MODEL.addSub, inputs: one.inputs },
      outputs: one.outputs,
    }),
    inferenceCase({
      ...{ id: 'inference.batch', reference },
      claim: 'every row of a batch gets its own answer',
      call: { model: MODEL.addSub, inputs: eight.inputs },
      outputs: eight.outputs,
    }),
    inferenceCase({
      ...{ id: 'inference.input-order', reference },
      claim: 'inputs are matched by name, not by their order',
      call: { model: MODEL.addSub, inputs: one.inputs.toReversed() },
      outputs: one.outputs,
    }),
    inferenceCase({
      ...{ id: 'inference.id', reference },
      claim: 'the id of a request comes back with its answer',
      call: { model: MODEL.addSub, id: 'a "request" ✓ 42', inputs: one.inputs },
      outputs: one.outputs,
    }),
  ];
}

function outputCases(): readonly Case[] {
  const { inputs, outputs } = addSub(2);
  const [sum, rest] = outputs;
  if (!sum || !rest) throw new Error('add_sub has two outputs');
  return [
    inferenceCase({
      ...{ id: 'inference.one-output', reference },
      claim: 'where outputs are named, only they are sent',
      call: { model: MODEL.addSub, inputs, outputs: [{ name: 'OUTPUT1' }] },
      outputs: [rest],
    }),
    inferenceCase({
      ...{ id: 'inference.outputs-named', reference },
      claim: 'outputs may be named in any order',
      call: { model: MODEL.addSub, inputs, outputs: [{ name: 'OUTPUT1' }, { name: 'OUTPUT0' }] },
      outputs: [rest, sum],
    }),
    inferenceCase({
      ...{ id: 'inference.several-outputs', reference },
      claim: 'outputs of several datatypes and shapes come in one answer',
      call: {
        model: MODEL.several,
        inputs: [floats('INPUT0', [2, 4], [1, -2, 3.5, 0, -0.25, 8, 16, 2])],
      },
      outputs: [
        floats('COPY', [2, 4], [1, -2, 3.5, 0, -0.25, 8, 16, 2]),
        tensor('WHOLE', {
          datatype: 'INT64',
          shape: [2, 4],
          values: [1n, -2n, 3n, 0n, 0n, 8n, 16n, 2n],
        }),
        tensor('POSITIVE', {
          datatype: 'BOOL',
          shape: [2, 4],
          values: [true, false, true, false, false, true, true, true],
        }),
        floats('TOTAL', [2, 1], [2.5, 25.75]),
      ],
    }),
  ];
}

function shapeCases(): readonly Case[] {
  const counting = Array.from({ length: 12 }, (_, index) => index);
  const strings = (name: string, values: readonly string[]) =>
    tensor(name, { datatype: 'BYTES', shape: [1, values.length], values });
  const large = Array.from({ length: 50_000 }, (_, index) => index / 8);
  return [
    inferenceCase({
      ...{ id: 'inference.fixed-shape', reference },
      claim: 'a model of fixed dimensions takes them',
      call: { model: MODEL.fixed, inputs: [floats('INPUT0', [2, 3], [1, 2, 3, 4, 5, 6])] },
      outputs: [floats('OUTPUT0', [3, 2], [1, 4, 2, 5, 3, 6])],
    }),
    inferenceCase({
      ...{ id: 'inference.dynamic-shape', reference },
      claim: 'the shape of an answer follows that of its request',
      call: { model: MODEL.dynamic, inputs: [floats('INPUT0', [2, 2, 3], counting)] },
      outputs: [floats('OUTPUT0', [2, 3, 2], [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])],
    }),
    inferenceCase({
      ...{ id: 'inference.dynamic-shape.other', reference },
      claim: 'the next request may have another shape',
      call: { model: MODEL.dynamic, inputs: [floats('INPUT0', [2, 1, 6], counting)] },
      outputs: [floats('OUTPUT0', [2, 6, 1], counting)],
    }),
    inferenceCase({
      ...{ id: 'inference.strings', reference },
      claim: 'strings of several lengths are put together in order',
      call: {
        model: MODEL.join,
        inputs: [strings('INPUT0', ['a', 'bcd']), strings('INPUT1', ['', 'ef', 'ü'])],
      },
      outputs: [strings('OUTPUT0', ['a', 'bcd', '', 'ef', 'ü'])],
    }),
    inferenceCase({
      ...{ id: 'inference.large', reference },
      claim: 'a tensor of 200 kB, in JSON half a megabyte, is taken whole',
      call: { model: identityModel('FP32'), inputs: [floats('INPUT0', [1, 50_000], large)] },
      outputs: [floats('OUTPUT0', [1, 50_000], large)],
    }),
    inferenceCase({
      ...{ id: 'inference.over-4-mib', reference, level: 'recommended' },
      claim: 'a tensor of 6 MiB passes, though the default limit of gRPC libraries is 4 MiB',
      wires: ['rest-binary', 'grpc-raw'],
      call: { model: identityModel('UINT8'), inputs: [megabytes('INPUT0', 6)] },
      outputs: [megabytes('OUTPUT0', 6)],
    }),
    ...IDENTITY_DATATYPES.map((datatype) =>
      inferenceCase({
        ...{ id: `inference.zero-size.${datatype.toLowerCase()}`, reference },
        level: 'recommended',
        claim: `a ${datatype} tensor without elements is a tensor`,
        ...(datatype === 'FP16' && {
          jsonMayRefuse: 'servers may take 16-bit floats as bytes only',
        }),
        call: {
          model: identityModel(datatype),
          inputs: [tensor('INPUT0', { datatype, shape: [1, 0], values: [] })],
        },
        outputs: [tensor('OUTPUT0', { datatype, shape: [1, 0], values: [] })],
      }),
    ),
  ];
}

function megabytes(name: string, count: number): KitTensor {
  const bytes = new Uint8Array(count * 1_024 * 1_024).map((_, index) => index % 251);
  return { name, datatype: 'UINT8', shape: [1, bytes.length], bytes };
}

function versionCases(): readonly Case[] {
  return [1, 2].map((version) =>
    inferenceCase({
      ...{ id: `inference.version.${version}`, reference },
      claim: `version ${version} answers where it is asked for, and says so`,
      call: {
        model: MODEL.versions,
        version: String(version),
        inputs: [floats('INPUT0', [2], [10, 20])],
      },
      outputs: [floats('OUTPUT0', [2], [10 + version, 20 + version])],
    }),
  );
}

/** Triton writes a scalar as [1], others as []: the shape in the metadata is the one to send. */
function scalarCase(): Case {
  return {
    ...{ id: 'inference.scalar', section: 'inference', level: 'recommended', reference },
    claim: 'a model whose input has no dimensions takes one element',
    models: [MODEL.scalar],
    wires: INFER_WIRES,
    run: async ({ http, grpc, infer }, wire) => {
      const shape = wire.startsWith('grpc')
        ? shapeFromGrpc(await grpc.call('ModelMetadata', { name: MODEL.scalar }))
        : shapeFromRest((await http.send({ path: modelPath(MODEL.scalar) })).json);
      const call = { model: MODEL.scalar, inputs: [floats('INPUT0', shape, [2.5])] };
      const reply = await infer[wire as InferWire](call);
      const request = describeCall(call);
      const expected = `OUTPUT0 FP32[${shape}] -2.5`;
      if (reply.kind !== 'answer') return fail({ request, expected, found: describeReply(reply) });
      const wrong = difference(floats('OUTPUT0', shape, [-2.5]), reply.answer.outputs[0]);
      return wrong === undefined ? pass() : fail({ request, expected, found: wrong });
    },
  };
}

function shapeFromRest(metadata: Json | undefined): readonly number[] {
  const inputs = isObject(metadata) ? metadata['inputs'] : undefined;
  const input = isArray(inputs) ? inputs[0] : undefined;
  const shape = isObject(input) ? input['shape'] : undefined;
  if (!isArray(shape)) return [];
  return shape.map((size) => (size instanceof JsonNumber ? Number(size.text) : 1));
}

function shapeFromGrpc(reply: GrpcReply): readonly number[] {
  const [input] = reply.kind === 'answer' ? listIn(reply.message, 'inputs') : [];
  return input ? listIn(input, 'shape').map(Number) : [];
}

type BytesRow = { readonly id: string; readonly values: readonly Value[]; readonly json: boolean };

/** A runtime whose strings are text, or end at a zero, may refuse these; it may not change them. */
const AWKWARD_BYTES: readonly BytesRow[] = [
  {
    id: 'not-text',
    values: [new Uint8Array([0xff, 0xfe, 0x41]), new Uint8Array([0x80])],
    json: false,
  },
  { id: 'nul', values: ['a\u0000b', 'c'], json: true },
];

function awkwardBytesCases(): readonly Case[] {
  return AWKWARD_BYTES.map(({ id, values, json }): Case => {
    const line = { datatype: 'BYTES', shape: [1, values.length], values } as const;
    return {
      ...{ id: `inference.bytes.${id}`, section: 'inference', level: 'required', reference },
      claim: `BYTES come back as they went, or are refused: never changed (${id})`,
      models: [identityModel('BYTES')],
      // JSON has no way to write bytes that are no text.
      wires: INFER_WIRES.filter((wire) => json || wire !== 'rest-json'),
      run: async ({ infer }, wire) => {
        const call = { model: identityModel('BYTES'), inputs: [tensor('INPUT0', line)] };
        const reply = await infer[wire as InferWire](call);
        const request = describeCall(call);
        const expected = 'the same bytes, or a refusal';
        if (reply.kind === 'refusal') return pass(`refused: ${reply.message}`);
        if (reply.kind === 'broken') return fail({ request, expected, found: reply.what });
        const found = difference(tensor('OUTPUT0', line), reply.answer.outputs[0]);
        return found === undefined ? pass() : fail({ request, expected, found });
      },
    };
  });
}
