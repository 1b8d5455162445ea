/** Inferences that contradict the model: refused over every wire, with a message. */
import { type Case, fail, pass } from '../case.ts';
import { grpcCase, isCode } from '../kinds/grpc.ts';
import { refusalCase } from '../kinds/refusal.ts';
import { identityModel, MODEL, ROWS_MAX } from '../model-names.ts';
import { CONFIGURATION, GRPC, REST } from '../references.ts';
import { rawMessage, typedMessage } from '../wire/grpc-infer.ts';
import { describeCall, describeReply, INFER_WIRES, type InferWire } from '../wire/infer-call.ts';
import { difference, type KitTensor, tensor } from '../wire/tensor.ts';
import { addSub } from './inference.ts';

const reference = `${REST} "Inference Errors"; ${GRPC} "ModelInfer"`;
const INVALID = { http: [400], grpc: ['INVALID_ARGUMENT'] } as const;
const ABSENT = { http: [404], grpc: ['NOT_FOUND'] } as const;

function input(values: readonly number[], shape: readonly number[]): KitTensor {
  return tensor('INPUT0', { datatype: 'FP32', shape, values });
}

function withName(name: string): KitTensor {
  return { ...input([1, 2, 3, 4, 5, 6], [2, 3]), name };
}

export function errorCases(): readonly Case[] {
  return [
    ...nameCases(),
    ...shapeCases(),
    ...countCases(),
    ...contentsCases(),
    runtimeCase(),
    recoveryCase(),
  ];
}

function nameCases(): readonly Case[] {
  const good = input([1, 2, 3, 4, 5, 6], [2, 3]);
  const model = MODEL.fixed;
  return [
    refusalCase({
      ...{ id: 'errors.unknown-model', reference, ...ABSENT },
      claim: 'an inference with an unknown model is refused',
      alternatives: { '400': `"typically 400" in ${REST}` },
      call: { model: 'no-such-model', inputs: [good] },
    }),
    refusalCase({
      ...{ id: 'errors.unknown-version', reference, ...ABSENT },
      claim: 'an inference with an unknown version is refused',
      alternatives: { '400': `"typically 400" in ${REST}` },
      call: { model, version: '77', inputs: [good] },
    }),
    refusalCase({
      ...{ id: 'errors.unknown-input', reference, ...INVALID },
      claim: 'an input that the model does not have is refused',
      call: { model, inputs: [withName('NO_SUCH_INPUT')] },
    }),
    refusalCase({
      ...{ id: 'errors.unknown-output', reference, ...INVALID },
      claim: 'an output that the model does not have is refused',
      alternatives: {
        NOT_FOUND: 'an output that is not there is not found',
        '404': 'an output that is not there is not found',
      },
      call: { model, inputs: [good], outputs: [{ name: 'NO_SUCH_OUTPUT' }] },
    }),
  ];
}

function shapeCases(): readonly Case[] {
  const model = MODEL.fixed;
  const other = tensor('INPUT0', { datatype: 'INT32', shape: [2, 3], values: [1, 2, 3, 4, 5, 6] });
  return [
    refusalCase({
      ...{ id: 'errors.datatype', reference, ...INVALID },
      claim: "a datatype that is not the input's is refused, not cast",
      call: { model, inputs: [other] },
    }),
    refusalCase({
      ...{ id: 'errors.shape', reference, ...INVALID },
      claim: 'a shape of other sizes is refused',
      call: { model, inputs: [input([1, 2, 3, 4, 5, 6], [3, 2])] },
    }),
    refusalCase({
      ...{ id: 'errors.rank', reference, ...INVALID },
      claim: 'a shape of another number of dimensions is refused',
      call: { model, inputs: [input([1, 2, 3, 4, 5, 6], [6])] },
    }),
    refusalCase({
      ...{ id: 'errors.rank.more', reference, ...INVALID },
      claim: 'a batch dimension that the model does not have is refused',
      call: { model, inputs: [input([1, 2, 3, 4, 5, 6], [1, 2, 3])] },
    }),
    refusalCase({
      ...{ id: 'errors.too-few-elements', reference, ...INVALID },
      claim: 'fewer elements than the shape says are refused',
      alternatives: {
        '500': 'Triton answers 500 to JSON of another count, and calls it to be done',
      },
      call: { model, inputs: [{ ...input([1, 2, 3, 4, 5], [5]), shape: [2, 3] }] },
    }),
    refusalCase({
      ...{ id: 'errors.too-many-elements', reference, ...INVALID },
      claim: 'more elements than the shape says are refused',
      alternatives: {
        '500': 'Triton answers 500 to JSON of another count, and calls it to be done',
      },
      call: { model, inputs: [{ ...input([1, 2, 3, 4, 5, 6, 7], [7]), shape: [2, 3] }] },
    }),
    refusalCase({
      ...{ id: 'errors.negative-size', reference, ...INVALID },
      claim: 'a negative dimension is refused',
      alternatives: {
        '500': 'Triton answers 500 to a negative dimension, and calls it to be done',
      },
      call: { model, inputs: [{ ...input([1, 2, 3, 4, 5, 6], [6]), shape: [-2, -3] }] },
    }),
    refusalCase({
      ...{ id: 'errors.huge-shape', reference, ...INVALID },
      claim: 'a shape whose number of elements is beyond all counting is refused',
      alternatives: {
        '500': 'Triton answers 500 to JSON of another count, and calls it to be done',
      },
      call: {
        model: MODEL.dynamic,
        inputs: [{ ...input([1], [1]), shape: [2, 4_294_967_296, 4_294_967_296] }],
      },
    }),
    refusalCase({
      ...{ id: 'errors.batch-too-large', reference: CONFIGURATION, ...INVALID },
      level: 'extension',
      extension: 'model_configuration',
      claim: 'more rows than max_batch_size are refused',
      call: { model: MODEL.addSub, inputs: addSub(ROWS_MAX + 1).inputs },
    }),
  ];
}

function countCases(): readonly Case[] {
  const model = MODEL.addSub;
  const [left, right] = addSub(1).inputs;
  const [longer] = addSub(2).inputs;
  if (!left || !right || !longer) throw new Error('add_sub has two inputs');
  const string = tensor('INPUT0', { datatype: 'BYTES', shape: [1, 1], values: ['text'] });
  const binary: readonly InferWire[] = ['rest-binary', 'grpc-raw'];
  const strings = { model: identityModel('BYTES') };
  return [
    refusalCase({
      ...{ id: 'errors.missing-input', reference, ...INVALID },
      claim: 'a request that lacks an input is refused',
      call: { model, inputs: [left] },
    }),
    refusalCase({
      ...{ id: 'errors.no-inputs', reference, ...INVALID },
      claim: 'a request without inputs is refused',
      call: { model, inputs: [] },
    }),
    refusalCase({
      ...{ id: 'errors.input-twice', reference, ...INVALID },
      claim: 'an input that is given twice is refused',
      call: { model, inputs: [left, left] },
    }),
    refusalCase({
      ...{ id: 'errors.too-many-inputs', reference, ...INVALID },
      claim: 'an input too many is refused',
      call: { model, inputs: [left, right, { ...left, name: 'INPUT2' }] },
    }),
    refusalCase({
      ...{ id: 'errors.rows-disagree', reference, ...INVALID },
      claim: 'inputs of different numbers of rows are refused',
      alternatives: { '500': 'the runtime finds it', INTERNAL: 'the runtime finds it' },
      call: { model, inputs: [longer, right] },
    }),
    refusalCase({
      ...{ id: 'errors.string-length', reference, ...INVALID, wires: binary },
      claim: 'a string that ends within its length is refused',
      call: { ...strings, inputs: [{ ...string, bytes: string.bytes.subarray(0, 3) }] },
    }),
    refusalCase({
      ...{ id: 'errors.string-cut', reference, ...INVALID, wires: binary },
      claim: 'a string that is shorter than its length is refused',
      call: { ...strings, inputs: [{ ...string, bytes: string.bytes.subarray(0, 6) }] },
    }),
    refusalCase({
      ...{ id: 'errors.string-count', reference, ...INVALID },
      claim: 'more strings than the shape says are refused',
      alternatives: {
        '500': 'Triton answers 500 to JSON of another count, and calls it to be done',
      },
      call: {
        ...strings,
        inputs: [
          {
            ...tensor('INPUT0', { datatype: 'BYTES', shape: [2], values: ['a', 'b'] }),
            shape: [1, 1],
          },
        ],
      },
    }),
  ];
}

/** What only gRPC can get wrong: an element is sent typed or raw, never both. */
function contentsCases(): readonly Case[] {
  const { inputs } = addSub(1);
  const call = { model: MODEL.addSub, inputs };
  const [raw, typed] = [rawMessage(call), typedMessage(call)];
  const half = tensor('INPUT0', { datatype: 'FP16', shape: [1, 1], values: [1] });
  const common = { section: 'errors', method: 'ModelInfer', models: [MODEL.addSub] } as const;
  const contents = `${GRPC}, "raw_input_contents"`;
  return [
    grpcCase({
      ...{ ...common, id: 'errors.grpc.both-contents', reference: contents },
      claim: 'typed and raw contents in one request are refused',
      message: { ...typed, raw_input_contents: raw['raw_input_contents'] },
      check: isCode('INVALID_ARGUMENT'),
    }),
    grpcCase({
      ...{ ...common, id: 'errors.grpc.no-contents', reference: contents },
      claim: 'inputs without any contents are refused',
      message: { ...raw, raw_input_contents: [] },
      check: isCode('INVALID_ARGUMENT'),
    }),
    grpcCase({
      ...{ ...common, id: 'errors.grpc.fewer-raw', reference: contents },
      claim: 'fewer raw contents than inputs are refused',
      message: { ...raw, raw_input_contents: [inputs[0]?.bytes] },
      check: isCode('INVALID_ARGUMENT'),
    }),
    grpcCase({
      ...{ ...common, id: 'errors.grpc.more-raw', reference: contents },
      claim: 'more raw contents than inputs are refused',
      message: { ...raw, raw_input_contents: [...inputs, ...inputs].map(({ bytes }) => bytes) },
      check: isCode('INVALID_ARGUMENT'),
    }),
    grpcCase({
      ...{
        ...common,
        id: 'errors.grpc.other-contents',
        reference: `${GRPC}, "InferTensorContents"`,
      },
      claim: 'typed contents in the field of another datatype are refused',
      message: {
        ...typed,
        inputs: inputs.map(({ name }) => ({
          ...{ name, datatype: 'INT32', shape: ['1', '16'] },
          contents: { fp32_contents: Array.from({ length: 16 }, () => 1) },
        })),
      },
      check: isCode('INVALID_ARGUMENT'),
    }),
    grpcCase({
      ...{ ...common, id: 'errors.grpc.narrow', reference: `${GRPC}, "InferTensorContents"` },
      ...{ level: 'recommended', models: [identityModel('INT8')] },
      claim: 'typed contents beyond the range of the datatype are refused, not cut',
      message: {
        model_name: identityModel('INT8'),
        inputs: [
          {
            name: 'INPUT0',
            datatype: 'INT8',
            shape: ['1', '1'],
            contents: { int_contents: [300] },
          },
        ],
      },
      check: isCode('INVALID_ARGUMENT'),
    }),
    grpcCase({
      ...{ ...common, id: 'errors.grpc.typed-half', reference: `${GRPC}, "InferTensorContents"` },
      models: [identityModel('FP16')],
      claim: '16-bit floats, which have no typed contents, are refused where they are sent so',
      message: {
        model_name: identityModel('FP16'),
        inputs: [
          {
            ...{ name: half.name, datatype: 'FP16', shape: ['1', '1'] },
            contents: { fp32_contents: [1] },
          },
        ],
      },
      check: isCode('INVALID_ARGUMENT'),
    }),
    grpcCase({
      ...{
        ...common,
        id: 'errors.grpc.unknown-datatype',
        reference: `${GRPC}, "Tensor Data Types"`,
      },
      claim: 'a datatype that there is not is refused',
      message: {
        ...raw,
        inputs: inputs.map(({ name }) => ({ name, datatype: 'FLOAT', shape: ['1', '16'] })),
      },
      check: isCode('INVALID_ARGUMENT'),
    }),
  ];
}

function reshape(sizes: readonly bigint[]): readonly KitTensor[] {
  return [
    tensor('DATA', { datatype: 'FP32', shape: [6], values: [1, 2, 3, 4, 5, 6] }),
    tensor('SHAPE', { datatype: 'INT64', shape: [2], values: sizes }),
  ];
}

/** A request that fits the signature and fails in the model. */
function runtimeCase(): Case {
  return refusalCase({
    ...{ id: 'errors.model-fails', reference, http: [500], grpc: ['INTERNAL'] },
    claim: 'a model that fails on a request is a fault of the server side',
    alternatives: {
      '400': `"typically 400" in ${REST}`,
      INVALID_ARGUMENT: 'the model says that the argument is at fault',
    },
    call: { model: MODEL.reshape, inputs: reshape([4n, 4n]) },
  });
}

function recoveryCase(): Case {
  return {
    ...{ id: 'errors.model-goes-on', section: 'errors', level: 'required', reference },
    claim: 'a model that has failed on one request answers the next',
    models: [MODEL.reshape],
    wires: INFER_WIRES,
    run: async ({ infer }, wire) => {
      const send = infer[wire as InferWire];
      await send({ model: MODEL.reshape, inputs: reshape([5n, 5n]) });
      const call = { model: MODEL.reshape, inputs: reshape([3n, 2n]) };
      const reply = await send(call);
      const request = describeCall(call);
      const expected = 'OUTPUT0 FP32[3,2]';
      if (reply.kind !== 'answer') return fail({ request, expected, found: describeReply(reply) });
      const output = tensor('OUTPUT0', {
        datatype: 'FP32',
        shape: [3, 2],
        values: [1, 2, 3, 4, 5, 6],
      });
      const wrong = difference(output, reply.answer.outputs[0]);
      return wrong === undefined ? pass() : fail({ request, expected, found: wrong });
    },
  };
}
