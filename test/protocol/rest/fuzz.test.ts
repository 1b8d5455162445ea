import { once } from 'node:events';
import { connect } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { createTimeSlicer } from '../../../src/concurrency/time-slicer.ts';
import { ServeError } from '../../../src/core/errors.ts';
import { DTYPE_BYTES, type Dtype, elementCount, type Tensor } from '../../../src/core/tensor.ts';
import { type DecodeContext, openInfer } from '../../../src/protocol/rest/decode.ts';
import { HEADER_LENGTH } from '../../../src/protocol/rest/decode-binary.ts';
import { KnownHeads } from '../../../src/protocol/rest/known-heads.ts';
import { aGateway, PAIRS } from '../../gateway/builders.ts';
import { fuzzRuns } from '../../support/fuzz-runs.ts';
import { PLAIN_ROUTING } from '../builders.ts';
import { anInput, anyShare, aServer, binaryInput, floats, inferCall, LIMITS } from './builders.ts';

/** A request as bytes, with the header that says where its JSON ends. */
type Wire = { readonly body: Buffer; readonly headerLength: string | undefined };

const GOOD = inferCall({ inputs: [anInput()] });

const SAMPLES: Readonly<Record<Dtype, unknown>> = {
  BOOL: [true, false],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  UINT64: [0, 9_007_199_254_740_991],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  INT64: [-1, 9_007_199_254_740_991],
  FP16: [65_504, -0.5],
  BF16: [1e38, -0.5],
  FP32: [3.4e38, 0.1],
  FP64: [1.7976931348623157e308, 5e-324],
  BYTES: ['é\n"\\', ''],
};

function inJson(body: unknown): Wire {
  return { body: Buffer.from(JSON.stringify(body)), headerLength: undefined };
}

function inBinary(head: unknown, tensors: Buffer): Wire {
  const json = Buffer.from(JSON.stringify(head));
  return { body: Buffer.concat([json, tensors]), headerLength: String(json.byteLength) };
}

const REQUESTS: readonly Wire[] = [
  ...Object.entries(SAMPLES).map(([datatype, data]) =>
    inJson({ id: 'a', inputs: [anInput({ datatype, data })] }),
  ),
  inJson({
    id: 'é',
    parameters: { sequence_id: 7, priority: 1, timeout: 1_000_000 },
    inputs: [
      anInput({
        shape: [2, 2],
        data: [
          [1, 2],
          [3, 4],
        ],
      }),
    ],
    outputs: [{ name: 'y', parameters: { classification: 1 } }],
  }),
  inBinary({ inputs: [binaryInput(8)] }, floats(1, 2)),
  inBinary({ inputs: [binaryInput(8), anInput(), binaryInput(4)] }, floats(1, 2, 3)),
  { body: floats(1, 2), headerLength: '0' },
];

/** What JSON is made of, and what is hard to take. */
const TOKENS = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u0064', '"data":', 'null', 'true', '-', '.', ' '],
  ...['1e999', '-1e-999', 'NaN', '-Infinity', '0e', '1e308', '18446744073709551616', '0x1'],
  ...['9'.repeat(400), `0.${'3'.repeat(5_000)}`, '['.repeat(200), '{"a":'.repeat(200)],
  ...['"binary_data_size":', '"data":[[[', '\xff', '\xc3', '\0', '\ud83d'],
];

type Mutation = (wire: Wire) => Wire;

/** A place, as a share of the bytes there are. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const indexAt = (body: Buffer, share: number): number => Math.floor(share * body.byteLength);

const truncation = place.map(
  (end): Mutation =>
    (wire) => ({ ...wire, body: wire.body.subarray(0, indexAt(wire.body, end)) }),
);

const flip = fc.tuple(place, fc.nat(7)).map(
  ([share, bit]): Mutation =>
    (wire) => {
      const body = Buffer.from(wire.body);
      const at = indexAt(body, share);
      body[at] = (body[at] ?? 0) ^ (1 << bit);
      return { ...wire, body };
    },
);

const written = fc.oneof(
  fc.constantFrom(...TOKENS).map((token) => Buffer.from(token, 'latin1')),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
);

const insertion = fc.tuple(place, written).map(([share, bytes]): Mutation => {
  return (wire) => {
    const at = indexAt(wire.body, share);
    const body = Buffer.concat([wire.body.subarray(0, at), bytes, wire.body.subarray(at)]);
    return { ...wire, body };
  };
});

/** A stretch comes twice, or not at all. */
const repetition = fc.tuple(place, place, fc.boolean()).map(
  ([a, b, isTwice]): Mutation =>
    (wire) => {
      const [from, to] = [indexAt(wire.body, Math.min(a, b)), indexAt(wire.body, Math.max(a, b))];
      const body = Buffer.concat([
        wire.body.subarray(0, isTwice ? to : from),
        wire.body.subarray(isTwice ? from : to),
      ]);
      return { ...wire, body };
    },
);

const headerLength = fc
  .oneof(
    fc.integer({ min: -2, max: 300 }).map(String),
    fc.constantFrom('', 'x', '1.5', '1e2', '99999999999999999999', '-0', undefined),
  )
  .map(
    (length): Mutation =>
      (wire) => ({ ...wire, headerLength: length }),
  );

const mutation = fc.oneof(
  { arbitrary: truncation, weight: 1 },
  { arbitrary: flip, weight: 4 },
  { arbitrary: insertion, weight: 4 },
  { arbitrary: repetition, weight: 2 },
  { arbitrary: headerLength, weight: 1 },
);

const mutated = fc
  .tuple(fc.constantFrom(...REQUESTS), fc.array(mutation, { maxLength: 4 }))
  .map(([wire, mutations]) => mutations.reduce((each, mutate) => mutate(each), wire));

const headersOf = ({ headerLength: length }: Wire): Readonly<Record<string, string>> =>
  length === undefined ? {} : { [HEADER_LENGTH]: length };

/** True for a request whose tensors are what they say; false for a refusal. Anything else thrown is thrown on. */
async function isDecoded(wire: Wire, context: DecodeContext): Promise<boolean> {
  const named = { requestId: 'r', traceparent: undefined, callerId: undefined, startedMs: 0 };
  const call = { model: 'm', version: undefined, ...named, body: wire.body };
  try {
    const opened = await openInfer({ ...call, headers: headersOf(wire) }, context);
    const { request } = await opened.decode();
    for (const input of request.inputs) checkSize(input);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof ServeError) || thrown.code === 'internal') throw thrown;
    return false;
  }
}

/** What stands in JSON has the size that its shape says; what stands behind it is held against the signature later. */
function checkSize({ dtype, shape, data }: Tensor): void {
  if (dtype === 'BYTES' || data.byteLength === elementCount(shape) * DTYPE_BYTES[dtype]) return;
  if (data.byteOffset !== 0 || data.buffer.byteLength !== data.byteLength) return;
  throw new Error(`${dtype} of [${shape.join(',')}] has ${data.byteLength} bytes`);
}

t.test('any change of a request is decoded or refused', async (t) => {
  const context: DecodeContext = {
    routing: PLAIN_ROUTING,
    limits: LIMITS,
    slicer: createTimeSlicer(),
    share: anyShare(),
    heads: new KnownHeads(),
    signature: () => PAIRS,
  };
  for (const wire of REQUESTS) t.ok(await isDecoded(wire, context), 'good before it is mutated');
  let [decoded, refused] = [0, 0];
  const property = fc.asyncProperty(mutated, async (wire) => {
    if (await isDecoded(wire, context)) decoded += 1;
    else refused += 1;
  });
  await fc.assert(property, fuzzRuns(40_000));
  t.ok(decoded > 1_000 && refused > 10_000, `${decoded} decoded, ${refused} refused`);
});

type Encoded = { readonly encoding: string | undefined; readonly wire: Wire };

/** Compressed, and perhaps spoilt after that. */
const encoded = fc
  .tuple(
    mutated,
    fc.constantFrom('gzip', 'deflate', undefined, 'br'),
    fc.array(fc.oneof(truncation, flip), { maxLength: 2 }),
  )
  .map(([wire, encoding, mutations]): Encoded => {
    const compress =
      encoding === 'gzip' ? gzipSync : encoding === 'deflate' ? deflateSync : Buffer.from;
    const whole: Wire = { ...wire, body: compress(wire.body) as Buffer };
    return { encoding, wire: mutations.reduce((each, mutate) => mutate(each), whole) };
  });

const STATUSES: ReadonlySet<number> = new Set([200, 400, 404, 413, 501, 504]);

t.test('a server that is sent all that still serves, and holds nothing', async (t) => {
  const gateway = aGateway();
  const { app } = aServer({ gateway });
  const property = fc.asyncProperty(encoded, async ({ encoding, wire }) => {
    const more = encoding === undefined ? {} : { 'content-encoding': encoding };
    const answer = await app.inject(inferCall(wire.body, { ...headersOf(wire), ...more }));
    const isTold = answer.statusCode === 200 || typeof answer.json().error === 'string';
    return STATUSES.has(answer.statusCode) && isTold;
  });
  await fc.assert(property, fuzzRuns(800));
  t.equal((await app.inject(GOOD)).statusCode, 200);
  t.equal(gateway.inFlight(), 0);
});

/** A whole HTTP request, its own lines mutated too. */
const onTheWire = encoded.chain(({ encoding, wire }) => {
  const lines = [
    `POST ${GOOD.url} HTTP/1.1`,
    'host: a',
    `content-length: ${wire.body.byteLength}`,
    ...Object.entries(headersOf(wire)).map(([name, value]) => `${name}: ${value}`),
    ...(encoding === undefined ? [] : [`content-encoding: ${encoding}`]),
  ];
  const body = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), wire.body]);
  const whole: Wire = { body, headerLength: undefined };
  return fc
    .array(fc.oneof(truncation, flip, insertion, repetition), { maxLength: 2 })
    .map((mutations) => mutations.reduce((each, mutate) => mutate(each), whole));
});

t.test(
  'connections that bring all that are answered or closed, and the next one is served',
  async (t) => {
    const gateway = aGateway();
    const server = aServer({ gateway });
    t.teardown(() => server.close());
    const { port } = await server.listen('127.0.0.1', 0);
    const send = async (bytes: Buffer): Promise<string> => {
      const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
      const pieces: Buffer[] = [];
      // A connection that is cut in the middle is one of the answers.
      socket.on('error', () => {}).on('data', (piece) => pieces.push(piece as Buffer));
      await once(socket, 'close');
      return Buffer.concat(pieces).toString('latin1');
    };
    const property = fc.asyncProperty(onTheWire, async ({ body }) => {
      const answer = await send(body);
      return answer === '' || /^HTTP\/1\.1 (?!500)\d{3} /.test(answer);
    });
    await fc.assert(property, fuzzRuns(400));
    const lines = `POST ${GOOD.url} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ${GOOD.payload.length}`;
    t.match(await send(Buffer.from(`${lines}\r\n\r\n${GOOD.payload}`)), /^HTTP\/1\.1 200 /);
    t.equal(gateway.inFlight(), 0);
  },
);
