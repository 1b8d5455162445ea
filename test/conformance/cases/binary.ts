/** The binary tensor data extension: bytes behind the JSON, byte by byte. */
import type { Case } from '../case.ts';
import { all, type HttpCheck, httpCase, isRefusal, isStatus } from '../kinds/http.ts';
import { identityModel, MODEL } from '../model-names.ts';
import { BINARY } from '../references.ts';
import type { HttpRequest } from '../wire/http.ts';
import { HEADER_LENGTH, replyOf } from '../wire/rest.ts';
import { difference, type KitTensor, tensor } from '../wire/tensor.ts';
import { addSub } from './inference.ts';

const extension = 'binary_tensor_data';
const SIZE = 64;

type Body = {
  /** The JSON head. */
  readonly head: string;
  readonly tail: Uint8Array;
  /** Of the header, where it is not the head's length; null: no header. */
  readonly length?: string | null;
  readonly header?: string;
  readonly model?: string;
};

function post({
  head,
  tail,
  length,
  header = HEADER_LENGTH,
  model = MODEL.addSub,
}: Body): HttpRequest {
  const bytes = Buffer.from(head);
  const headers = length === null ? {} : { [header]: length ?? String(bytes.length) };
  return {
    method: 'POST',
    path: `/v2/models/${model}/infer`,
    headers: { 'content-type': 'application/octet-stream', ...headers },
    body: Buffer.concat([bytes, tail]),
  };
}

const { inputs, outputs } = addSub(1);
const [left = Buffer.alloc(0), right = Buffer.alloc(0)] = inputs.map(({ bytes }) =>
  Buffer.from(bytes),
);
const both = Buffer.concat([left, right]);

function binaryInput(name: string, size: number | string = SIZE): string {
  return `{"name":"${name}","shape":[1,16],"datatype":"INT32","parameters":{"binary_data_size":${size}}}`;
}

function jsonInput(name: string, bytes: Buffer): string {
  const data = Array.from({ length: 16 }, (_, index) => bytes.readInt32LE(index * 4));
  return `{"name":"${name}","shape":[1,16],"datatype":"INT32","data":[${data}]}`;
}

const twoInputs = `"inputs":[${binaryInput('INPUT0')},${binaryInput('INPUT1')}]`;

/** The answer holds exactly these, and the listed ones as bytes. */
function holds(expected: readonly KitTensor[], inBytes: readonly string[]): HttpCheck {
  return (answer) => {
    const reply = replyOf(answer);
    if (reply.kind !== 'answer') return 'an answer';
    for (const output of expected) {
      const found = reply.answer.outputs.find(({ name }) => name === output.name);
      const wrong = difference(output, found);
      if (wrong !== undefined) return `the right values (${wrong})`;
    }
    const head = answer.headers[HEADER_LENGTH];
    const text = answer.body.subarray(0, head === undefined ? undefined : Number(head)).toString();
    const count = text.split('"binary_data_size"').length - 1;
    if (count !== inBytes.length) return `${inBytes.join(', ') || 'nothing'} as bytes`;
    return reply.answer.outputs.length === expected.length
      ? undefined
      : `${expected.length} outputs`;
  };
}

export function binaryCases(): readonly Case[] {
  return [...bodyCases(), ...outputCases(), ...rawCases(), ...errorCases()];
}

function bodyCases(): readonly Case[] {
  const common = { section: 'binary', level: 'extension', extension, reference: BINARY } as const;
  const models = [MODEL.addSub];
  return [
    httpCase({
      ...{ ...common, id: 'binary.inputs', models },
      claim: 'inputs travel as bytes behind the JSON in the order of the inputs',
      request: post({ head: `{${twoInputs}}`, tail: both }),
      check: all(isStatus(200), holds(outputs, [])),
    }),
    httpCase({
      ...{ ...common, id: 'binary.inputs.mixed', models },
      claim: 'one input may be bytes and the other JSON',
      request: post({
        head: `{"inputs":[${jsonInput('INPUT0', left)},${binaryInput('INPUT1')}]}`,
        tail: right,
      }),
      check: all(isStatus(200), holds(outputs, [])),
    }),
    httpCase({
      ...{ ...common, id: 'binary.header.case', models },
      claim: 'the header is known in any spelling, as all headers are',
      request: post({
        ...{ head: `{${twoInputs}}`, tail: both },
        header: 'Inference-Header-Content-Length',
      }),
      check: all(isStatus(200), holds(outputs, [])),
    }),
    httpCase({
      ...{ ...common, id: 'binary.header.none', models },
      claim: 'without the header the whole body is JSON',
      request: post({
        head: `{"inputs":[${jsonInput('INPUT0', left)},${jsonInput('INPUT1', right)}]}`,
        tail: Buffer.alloc(0),
        length: null,
      }),
      check: all(isStatus(200), holds(outputs, [])),
    }),
    httpCase({
      ...{ ...common, id: 'binary.header.all-json', models },
      claim: 'the header may say that all of the body is JSON',
      request: post({
        head: `{"inputs":[${jsonInput('INPUT0', left)},${jsonInput('INPUT1', right)}]}`,
        tail: Buffer.alloc(0),
      }),
      check: all(isStatus(200), holds(outputs, [])),
    }),
    httpCase({
      ...{ ...common, id: 'binary.alignment', models },
      claim: 'bytes that begin at an odd place of the body are read as they are',
      request: post({ head: `{${twoInputs}} `, tail: both }),
      check: all(isStatus(200), holds(outputs, [])),
    }),
  ];
}

function outputCases(): readonly Case[] {
  const common = { section: 'binary', level: 'extension', extension, reference: BINARY } as const;
  const models = [MODEL.addSub];
  const ask = (fields: string) => post({ head: `{${fields},${twoInputs}}`, tail: both });
  const output = (name: string, binary?: boolean) =>
    binary === undefined
      ? `{"name":"${name}"}`
      : `{"name":"${name}","parameters":{"binary_data":${binary}}}`;
  return [
    httpCase({
      ...{ ...common, id: 'binary.outputs.all', models },
      claim: 'binary_data_output makes all outputs bytes',
      request: ask('"parameters":{"binary_data_output":true}'),
      check: all(isStatus(200), holds(outputs, ['OUTPUT0', 'OUTPUT1']), isOctets),
    }),
    httpCase({
      ...{ ...common, id: 'binary.outputs.one', models },
      claim: 'binary_data makes one output bytes and leaves the other JSON',
      request: ask(`"outputs":[${output('OUTPUT0', true)},${output('OUTPUT1')}]`),
      check: all(isStatus(200), holds(outputs, ['OUTPUT0']), isOctets),
    }),
    httpCase({
      ...{ ...common, id: 'binary.outputs.override', models },
      claim: "an output's own word goes before the request's",
      request: ask(
        `"parameters":{"binary_data_output":true},"outputs":[${output('OUTPUT0', false)},${output('OUTPUT1', true)}]`,
      ),
      check: all(isStatus(200), holds(outputs, ['OUTPUT1'])),
    }),
    httpCase({
      ...{ ...common, id: 'binary.outputs.json', models },
      claim: 'without a word about it outputs are JSON, and no header is sent',
      request: ask('"id":"1"'),
      check: all(isStatus(200), holds(outputs, []), ({ headers }) =>
        headers[HEADER_LENGTH] === undefined ? undefined : `no ${HEADER_LENGTH}`,
      ),
    }),
    httpCase({
      ...{ ...common, id: 'binary.outputs.named', models },
      claim: 'only the outputs that are named are sent',
      request: ask(`"outputs":[${output('OUTPUT1', true)}]`),
      check: all(isStatus(200), holds(outputs.slice(1), ['OUTPUT1'])),
    }),
    httpCase({
      ...{ ...common, id: 'binary.outputs.zero-size', models: [identityModel('FP32')] },
      claim: 'an output without elements that is asked for as bytes has binary_data_size 0',
      request: post({
        head: '{"parameters":{"binary_data_output":true},"inputs":[{"name":"INPUT0","shape":[1,0],"datatype":"FP32","parameters":{"binary_data_size":0}}]}',
        tail: Buffer.alloc(0),
        model: identityModel('FP32'),
      }),
      check: all(
        isStatus(200),
        holds([tensor('OUTPUT0', { datatype: 'FP32', shape: [1, 0], values: [] })], ['OUTPUT0']),
      ),
    }),
  ];
}

const isOctets: HttpCheck = ({ headers }) => {
  if (headers[HEADER_LENGTH] === undefined) return `a header ${HEADER_LENGTH}`;
  const isRight = headers['content-type'] === 'application/octet-stream';
  return isRight ? undefined : 'content-type application/octet-stream';
};

/** Header length 0: no JSON at all. */
function rawCases(): readonly Case[] {
  const common = { section: 'binary', level: 'extension', extension } as const;
  const reference = `${BINARY}, "Raw Binary Request"`;
  const line = { datatype: 'FP32', shape: [1, 4], values: [1, -2, 3.5, 4] } as const;
  const input = tensor('OUTPUT0', line);
  const text = tensor('OUTPUT0', { datatype: 'BYTES', shape: [1, 1], values: ['just text'] });
  const raw = (model: string, tail: Uint8Array) => post({ head: '', tail, model });
  return [
    httpCase({
      ...{ ...common, id: 'binary.raw', reference, models: [identityModel('FP32')] },
      claim: 'a body of bytes alone is the one input, and answers come as bytes',
      request: raw(identityModel('FP32'), input.bytes),
      check: all(isStatus(200), holds([input], ['OUTPUT0']), isOctets),
    }),
    httpCase({
      ...{ ...common, id: 'binary.raw.text', reference, models: [identityModel('BYTES')] },
      claim:
        'for a model of strings a body of bytes is one string, or is refused: only a shape of one element can take it',
      request: raw(identityModel('BYTES'), Buffer.from('just text')),
      check: (answer) =>
        answer.status === 200 ? holds([text], ['OUTPUT0'])(answer) : isRefusal(400)(answer),
    }),
    httpCase({
      ...{ ...common, id: 'binary.raw.two-inputs', reference, models: [MODEL.addSub] },
      claim: 'a model of two inputs refuses a body of bytes alone',
      request: raw(MODEL.addSub, both),
      check: isRefusal(400),
    }),
    httpCase({
      ...{ ...common, id: 'binary.raw.size', reference, models: [identityModel('FP32')] },
      claim: 'bytes that do not divide into elements are refused',
      request: raw(identityModel('FP32'), input.bytes.subarray(0, 7)),
      check: isRefusal(400),
    }),
  ];
}

type Wrong = Body & { readonly id: string; readonly claim: string };

function errorCases(): readonly Case[] {
  const head = `{${twoInputs}}`;
  const overlong = String(head.length + both.length + 1);
  const wrong: readonly Wrong[] = [
    {
      id: 'length-text',
      claim: 'a header length that is no number',
      head,
      tail: both,
      length: 'ten',
    },
    { id: 'length-negative', claim: 'a negative header length', head, tail: both, length: '-1' },
    {
      id: 'length-huge',
      claim: 'a header length beyond 32 bits',
      head,
      tail: both,
      length: '9'.repeat(20),
    },
    {
      id: 'length-over',
      claim: 'a header length beyond the body',
      head,
      tail: both,
      length: overlong,
    },
    {
      id: 'length-short',
      claim: 'a header length within the JSON',
      head,
      tail: both,
      length: '10',
    },
    {
      id: 'length-none',
      claim: 'bytes behind the JSON without the header',
      head,
      tail: both,
      length: null,
    },
    { id: 'too-few', claim: 'fewer bytes than the inputs have', head, tail: both.subarray(1) },
    { id: 'no-bytes', claim: 'no bytes for the inputs', head, tail: Buffer.alloc(0) },
    {
      id: 'too-many',
      claim: 'bytes left over',
      head,
      tail: Buffer.concat([both, Buffer.alloc(1)]),
    },
    {
      id: 'size-wrong',
      claim: 'a binary_data_size that the shape does not have',
      head: `{"inputs":[${binaryInput('INPUT0', SIZE + 4)},${binaryInput('INPUT1', SIZE - 4)}]}`,
      tail: both,
    },
    {
      id: 'size-negative',
      claim: 'a negative binary_data_size',
      head: `{"inputs":[${binaryInput('INPUT0', -SIZE)},${binaryInput('INPUT1')}]}`,
      tail: both,
    },
    {
      id: 'size-huge',
      claim: 'a binary_data_size beyond all counting',
      head: `{"inputs":[${binaryInput('INPUT0', '1e30')},${binaryInput('INPUT1')}]}`,
      tail: both,
    },
    {
      id: 'size-text',
      claim: 'a binary_data_size that is no number',
      head: `{"inputs":[${binaryInput('INPUT0', `"${SIZE}"`)},${binaryInput('INPUT1')}]}`,
      tail: both,
    },
    {
      id: 'both',
      claim: 'an input with data and with a binary_data_size',
      head: `{"inputs":[{"name":"INPUT0","shape":[1,16],"datatype":"INT32","parameters":{"binary_data_size":${SIZE}},"data":[1]},${binaryInput('INPUT1')}]}`,
      tail: both,
    },
  ];
  return wrong.map(({ id, claim, ...body }) =>
    httpCase({
      ...{ id: `binary.errors.${id}`, section: 'binary', level: 'extension', extension },
      reference: BINARY,
      models: [MODEL.addSub],
      claim: `${claim}: refused`,
      request: post(body),
      check: isRefusal(400),
    }),
  );
}
