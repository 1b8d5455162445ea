import { isDeepStrictEqual } from 'node:util';
import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import t from 'tap';
import { joinByteStrings } from '../../../src/core/byte-strings.ts';
import { ServeError } from '../../../src/core/errors.ts';
import { DTYPES, type Dtype, elementCount } from '../../../src/core/tensor.ts';
import { decodeInfer } from '../../../src/protocol/grpc/decode.ts';
import { FIELD_OF } from '../../../src/protocol/grpc/decode-contents.ts';
import { type InferMessage, readInferMessage } from '../../../src/protocol/grpc/infer-message.ts';
import { headersOf } from '../../../src/protocol/grpc/metadata.ts';
import { WireReader } from '../../../src/protocol/grpc/wire-reader.ts';
import { fuzzRuns } from '../../support/fuzz-runs.ts';
import { PLAIN_ROUTING } from '../builders.ts';
import { LIMITS, PROTOS } from './builders.ts';

const root = new protobuf.Root();
root.resolvePath = (_, target) => `${PROTOS}/${target.split('/').at(-1)}`;
root.loadSync('grpc_service.proto', { keepCase: true });
const REQUEST = root.lookupType('inference.ModelInferRequest');

function encode(message: object): Buffer {
  return Buffer.from(REQUEST.encode(REQUEST.fromObject(message)).finish());
}

function read(bytes: Buffer): InferMessage {
  return readInferMessage(new WireReader(bytes), LIMITS);
}

/** All the way to a request, as a call goes. */
function decode(bytes: Buffer) {
  return decodeInfer(read(bytes), {
    routing: PLAIN_ROUTING,
    header: headersOf(new Metadata()),
    requestId: 'ours',
    traceparent: undefined,
    callerId: undefined,
    startedMs: 0,
    callDeadlineMs: Infinity,
  });
}

function dataOf(bytes: Buffer): Buffer {
  return Buffer.from(decode(bytes).request.inputs[0]?.data ?? []);
}

/** How numbers of each datatype are made and how they lie in a tensor. */
const ELEMENTS = {
  BOOL: [fc.boolean(), (value) => Uint8Array.of(value ? 1 : 0)],
  INT8: [fc.integer({ min: -128, max: 127 }), (value) => Int8Array.of(Number(value))],
  INT16: [fc.integer({ min: -32_768, max: 32_767 }), (value) => Int16Array.of(Number(value))],
  INT32: [fc.integer(), (value) => Int32Array.of(Number(value))],
  INT64: [fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => BigInt64Array.of(BigInt(value))],
  UINT8: [fc.integer({ min: 0, max: 255 }), (value) => Uint8Array.of(Number(value))],
  UINT16: [fc.integer({ min: 0, max: 65_535 }), (value) => Uint16Array.of(Number(value))],
  UINT32: [fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => Uint32Array.of(Number(value))],
  UINT64: [fc.bigInt(0n, 2n ** 64n - 1n), (value) => BigUint64Array.of(BigInt(value))],
  FP32: [fc.float(), (value) => Float32Array.of(Number(value))],
  FP64: [fc.double(), (value) => Float64Array.of(Number(value))],
} as const satisfies Partial<
  Record<Dtype, [fc.Arbitrary<unknown>, (value: bigint | number | boolean) => ArrayBufferView]>
>;

type NumberDtype = keyof typeof ELEMENTS;

const NUMBER_DTYPES = Object.keys(ELEMENTS) as readonly NumberDtype[];

function bytesOf(dtype: NumberDtype, values: readonly (bigint | number | boolean)[]): Buffer {
  const [, lay] = ELEMENTS[dtype];
  return Buffer.concat(
    values.map((value) => {
      const { buffer, byteOffset, byteLength } = lay(value);
      return Buffer.from(buffer, byteOffset, byteLength);
    }),
  );
}

const numbersOf = (dtype: NumberDtype) =>
  fc.array(ELEMENTS[dtype][0] as fc.Arbitrary<bigint | number | boolean>, { maxLength: 12 });

function typedRequest(dtype: Dtype, contents: unknown[], count = contents.length) {
  const values = contents.map((value) => (typeof value === 'bigint' ? String(value) : value));
  const shape = [count];
  const field = FIELD_OF[dtype] ?? 'fp32_contents';
  return { inputs: [{ name: 'x', datatype: dtype, shape, contents: { [field]: values } }] };
}

t.test('typed contents of every datatype become the bytes of a tensor', async () => {
  for (const dtype of NUMBER_DTYPES) {
    fc.assert(
      fc.property(numbersOf(dtype), (values) => {
        const found = dataOf(encode(typedRequest(dtype, values)));
        return found.equals(bytesOf(dtype, values));
      }),
      fuzzRuns(200),
    );
  }
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 9 }), (values) => {
      const found = dataOf(encode(typedRequest('BYTES', values)));
      return found.equals(joinByteStrings(values));
    }),
  );
});

t.test('elements may come in pieces, packed or one by one', async () => {
  const pieces = fc.array(fc.tuple(fc.boolean(), numbersOf('INT32')), { maxLength: 5 });
  fc.assert(
    fc.property(pieces, fc.boolean(), (parts, isSplit) => {
      const contents = parts.map(([packed, values]) => intContents(values as number[], packed));
      const messages = isSplit ? contents : [Buffer.concat(contents)];
      const input = [field(1, 'x'), field(2, 'INT32'), ...messages.map((each) => field(5, each))];
      const values = parts.flatMap(([, each]) => each);
      // Contents come before the shape with their number.
      const bytes = field(5, Buffer.concat([...input, field(3, Buffer.from([values.length]))]));
      return values.length === 0 || dataOf(bytes).equals(bytesOf('INT32', values));
    }),
  );
});

function intContents(values: readonly number[], packed: boolean): Buffer {
  const writer = protobuf.Writer.create();
  if (packed) {
    writer.uint32((2 << 3) | 2).fork();
    for (const value of values) writer.int32(value);
    writer.ldelim();
  } else for (const value of values) writer.uint32(2 << 3).int32(value);
  return Buffer.from(writer.finish());
}

function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.from(
    protobuf.Writer.create()
      .uint32((number << 3) | 2)
      .bytes(bytes)
      .finish(),
  );
}

const PARAMETER = fc.oneof(
  fc.boolean().map((bool_param) => ({ bool_param })),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value) => ({ int64_param: String(value) })),
  fc.string().map((string_param) => ({ string_param })),
  fc.double({ noNaN: true }).map((double_param) => ({ double_param })),
  fc.bigInt(0n, 2n ** 64n - 1n).map((value) => ({ uint64_param: String(value) })),
);
const PARAMETERS = fc.dictionary(fc.string({ unit: 'grapheme' }), PARAMETER, { maxKeys: 3 });
const INPUT = fc.record({
  name: fc.string({ unit: 'grapheme' }),
  datatype: fc.constantFrom(...DTYPES, 'NONE'),
  shape: fc.array(fc.integer({ min: -1, max: 2 ** 31 - 1 }), { maxLength: 4 }),
  parameters: PARAMETERS,
});
const MESSAGE = fc.record({
  model_name: fc.string({ unit: 'grapheme' }),
  model_version: fc.string(),
  id: fc.string(),
  parameters: PARAMETERS,
  inputs: fc.array(INPUT, { maxLength: 4 }),
  outputs: fc.array(fc.record({ name: fc.string(), parameters: PARAMETERS }), { maxLength: 3 }),
  raw_input_contents: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
});

/** Fields of later versions of the protocol, of every kind. */
const UNKNOWN = Buffer.from([
  ...[0xf8, 0x07, 0x2a],
  ...[0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8],
  ...[0xfa, 0x07, 2, 9, 9],
  ...[0xfb, 0x07, 0x08, 0x01, 0xfc, 0x07],
  ...[0xfd, 0x07, 1, 2, 3, 4],
]);

t.test('a message is read as a library reads it, with unknown fields anywhere', async () => {
  fc.assert(
    fc.property(MESSAGE, fc.boolean(), (message, isOdd) => {
      const bytes = encode(message);
      const found = read(isOdd ? Buffer.concat([UNKNOWN, bytes, UNKNOWN]) : bytes);
      const expected = REQUEST.toObject(REQUEST.decode(bytes), { longs: String, arrays: true });
      return isDeepStrictEqual(plain(found), expectedOf(expected as Expected));
    }),
    fuzzRuns(300),
  );
});

type Entry = { name?: string; parameters?: Record<string, Record<string, unknown>> };
type Expected = Record<string, string> & {
  inputs: (Entry & { datatype?: string; shape: string[] })[];
  outputs: Entry[];
  raw_input_contents: Uint8Array[];
  parameters?: Entry['parameters'];
};

function expectedOf(message: Expected) {
  return {
    model: message['model_name'] ?? '',
    version: message['model_version'] ?? '',
    id: message['id'] ?? '',
    parameters: valuesOf(message.parameters),
    inputs: message.inputs.map(({ name = '', datatype = '', shape, parameters }) => ({
      name,
      dtype: datatype,
      shape: shape.map(Number),
      parameters: valuesOf(parameters),
      contents: [],
    })),
    outputs: message.outputs.map(({ name = '', parameters }) => ({
      name,
      parameters: valuesOf(parameters),
    })),
    raw: message.raw_input_contents.map((each) => Buffer.from(each).toString('hex')),
  };
}

function valuesOf(parameters: Entry['parameters'] = {}) {
  const entries = Object.entries(parameters).map(([name, value]) => [
    name,
    `${Object.values(value)}`,
  ]);
  return entries.sort();
}

function plain(message: InferMessage) {
  const values = (parameters: InferMessage['parameters']) =>
    Object.entries(parameters)
      .map(([name, value]) => [name, String(value)])
      .sort();
  return {
    ...message,
    parameters: values(message.parameters),
    inputs: message.inputs.map((input) => ({ ...input, parameters: values(input.parameters) })),
    outputs: message.outputs.map((output) => ({
      ...output,
      parameters: values(output.parameters),
    })),
    raw: message.raw.map((each) => each.toString('hex')),
  };
}

t.test('raw contents and packed floats are views of the message', async (t) => {
  const raw = encode({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }],
    raw_input_contents: [Buffer.from([1, 2, 3, 4])],
  });
  t.equal(decode(raw).request.inputs[0]?.data.buffer, raw.buffer);
  const packed = encode(typedRequest('FP32', [1, 2]));
  t.equal(decode(packed).request.inputs[0]?.data.buffer, packed.buffer);
});

/** A good message with some bytes changed, cut off, doubled or put in. */
const MUTATED = fc
  .tuple(
    fc.oneof(
      MESSAGE.map(encode),
      fc
        .constantFrom(...NUMBER_DTYPES)
        .chain((dtype) => numbersOf(dtype).map((values) => encode(typedRequest(dtype, values)))),
    ),
    fc.array(
      fc.record({
        at: fc.nat(),
        byte: fc.nat(255),
        kind: fc.constantFrom('change', 'cut', 'insert', 'repeat'),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([bytes, mutations]) => mutations.reduce(mutate, bytes));

type Mutation = { readonly at: number; readonly byte: number; readonly kind: string };

function mutate(bytes: Buffer, { at, byte, kind }: Mutation): Buffer {
  const index = at % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, index), bytes.subarray(index)];
  if (kind === 'cut') return before;
  if (kind === 'repeat') return Buffer.concat([before, after, after]);
  const rest = kind === 'change' ? after.subarray(1) : after;
  return Buffer.concat([before, Buffer.from([byte]), rest]);
}

t.test('no bytes do more than be refused', async (t) => {
  let refused = 0;
  const isSafe = (bytes: Buffer | Uint8Array): boolean => {
    try {
      const { inputs } = decode(Buffer.from(bytes)).request;
      return inputs.every(({ shape }) => Number.isSafeInteger(elementCount(shape)));
    } catch (thrown) {
      refused += 1;
      return thrown instanceof ServeError && thrown.code !== 'internal';
    }
  };
  fc.assert(fc.property(MUTATED, isSafe), fuzzRuns(20_000));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), isSafe), fuzzRuns(10_000));
  t.ok(refused > 10_000, `${refused} refused`);
});

function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.alloc(bytes.length * times, bytes);
}

/** A message whose one input has this datatype and these contents. */
function withContents(dtype: Dtype, contents: Buffer): Buffer {
  return field(5, Buffer.concat([field(2, Buffer.from(dtype)), field(5, contents)]));
}

const ENTRY = field(4, Buffer.concat([field(1, Buffer.from('a')), field(2, Buffer.of(8, 1))]));
const NO_STRING = field(8, Buffer.alloc(0));
const ONE = Buffer.of(1);

/** Messages of a few megabytes that would take a hundred times that, or block the thread for seconds. */
const FLOODS: readonly [string, Buffer][] = [
  ['parameters', repeated(ENTRY, 65_537)],
  ['parameters of an input', field(5, repeated(ENTRY, 65_537))],
  ['dimensions', field(5, field(3, repeated(ONE, 65_537)))],
  ['parts of contents', field(5, repeated(field(5, Buffer.alloc(0)), 65_537))],
  ['strings', withContents('BYTES', repeated(NO_STRING, 1_048_577))],
  ['numbers one by one', withContents('INT64', repeated(Buffer.of(3 << 3, 1), 1_048_577))],
  ['packed numbers', withContents('INT64', field(3, repeated(ONE, 16_777_217)))],
];

t.test('a message of too many small things is refused', async (t) => {
  for (const [what, bytes] of FLOODS) {
    t.throws(
      () => decode(bytes),
      { code: 'too_large', message: /^too many .*: expected at most \d+ in one request/ },
      what,
    );
  }
  const most = decode(withContents('BYTES', repeated(NO_STRING, 1_048_576)));
  t.equal(most.request.inputs[0]?.data.byteLength, 4 * 1_048_576, 'one fewer is fine');
});

t.test('text that is not UTF-8 is refused, and nothing put in its place', async (t) => {
  for (const number of [1, 2, 3]) {
    t.throws(() => read(field(number, Buffer.of(0xff, 0xfe))), {
      code: 'invalid_input',
      message: /expected text in UTF-8/,
    });
  }
});

t.test('a shape beyond all bounds is refused, times 0 too', async (t) => {
  const shape = [...Array.from({ length: 20 }, () => '9007199254740991'), 0];
  const bytes = encode({ inputs: [{ name: 'x', datatype: 'BYTES', shape }] });
  t.throws(() => decode(bytes), { code: 'invalid_input', message: /exceed maximum size/ });
});
