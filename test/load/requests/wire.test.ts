import t, { type Test } from 'tap';
import { seededRandom } from '../../../src/core/random.ts';
import { DTYPES, type Dtype, type Signature, type Tensor } from '../../../src/core/tensor.ts';
import type { AnswerForm } from '../../../src/load/nouns/answer-check.ts';
import type { Sample } from '../../../src/load/nouns/sample.ts';
import type { Sender } from '../../../src/load/nouns/sender.ts';
import type { Protocol, Target } from '../../../src/load/nouns/target.ts';
import { answerChecker } from '../../../src/load/requests/check-answer.ts';
import { bytesOf, type Element } from '../../../src/load/requests/elements.ts';
import { syntheticSamples } from '../../../src/load/requests/synthetic.ts';
import { ANSWER_FORMS, requestsFor, wireFor } from '../../../src/load/requests/write-requests.ts';
import { senderFor } from '../../../src/load/wire/open-sender.ts';
import { INFERENCE, methodsOf } from '../../../src/protocol/grpc/definitions.ts';
import { aGateway, aRoute, aVersion, echoHost } from '../../gateway/builders.ts';
import { aConversation, DEFINITIONS } from '../../protocol/grpc/builders.ts';
import { aServer } from '../../protocol/rest/builders.ts';

const PROTOCOLS: readonly Protocol[] = ['rest-json', 'rest-binary', 'grpc', 'grpc-stream'];
const EXACT = { absolute: 0, relative: 0 };

/** Numbers at the ends of each datatype, and those that are easily spoilt on the way. */
const VALUES: Readonly<Record<Dtype, readonly Element[]>> = {
  BOOL: [0, 1],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  UINT64: [0n, 2n ** 53n + 1n, 2n ** 64n - 1n],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  INT64: [-(2n ** 63n), 2n ** 53n + 1n, 2n ** 63n - 1n],
  FP16: [0.1, -0, 65_504, 2 ** -24, Number.NaN, Number.NEGATIVE_INFINITY],
  BF16: [0.1, -0, 3.3895313892515355e38, 2 ** -133, Number.NaN, Number.POSITIVE_INFINITY],
  FP32: [0.1, -0, 3.4028234663852886e38, 2 ** -149, 16_777_217, Number.NaN, -Infinity],
  FP64: [0.1, -0, Number.MAX_VALUE, Number.MIN_VALUE, Number.NaN, Infinity],
  BYTES: ['', 'plain', '"quoted"\\\n', 'été 模型 😀'].map((text) => Buffer.from(text)),
};

function tensorOf(dtype: Dtype, elements: readonly Element[], name = 'x'): Tensor {
  return { name, dtype, shape: [1, elements.length], data: bytesOf(dtype, elements) };
}

/** The model `m` on a server of each protocol, which gives back one input of this datatype as `y`. */
async function anEcho(t: Test, dtype: Dtype, parts: { readonly version?: string } = {}) {
  const { version = '1' } = parts;
  const signature: Signature = {
    inputs: [{ name: 'x', dtype, shape: [-1, -1] }],
    outputs: [{ name: 'y', dtype, shape: [-1, -1] }],
  };
  const gateway = aGateway({
    routes: [aRoute({ stable: version, shares: [{ arm: 'stable', version, weightBp: 10_000 }] })],
    hosts: { [version]: echoHost(version, signature) },
    versions: [aVersion(version, { signature })],
  });
  const { app } = aServer({ gateway });
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const grpc = await aConversation(t, { gateway });
  const target = (protocol: Protocol): Target => ({
    address: {
      host: '127.0.0.1',
      port: protocol.startsWith('rest') ? address.port : grpc.port,
      tls: false,
    },
    protocol,
    model: 'm',
    version: undefined,
    headers: {},
  });
  return { target, signature };
}

async function senderTo(t: Test, target: Target): Promise<Sender> {
  const sender = senderFor(wireFor(target, 1));
  t.teardown(() => sender.close());
  await sender.open(1);
  return sender;
}

/** Sends each sample once and gives what the check says of the answers. */
async function checked(
  sender: Sender,
  target: Target,
  samples: readonly Sample[],
): Promise<(string | undefined)[]> {
  const check = answerChecker({
    form: ANSWER_FORMS[target.protocol],
    expected: samples.map(({ expected }) => expected),
    ...EXACT,
  });
  const complaints: (string | undefined)[] = [];
  for (const [place, request] of requestsFor(target, samples).entries()) {
    const { error, body, head } = await sender.send(request);
    complaints.push(error === undefined ? check(place, body, head) : `refused: ${error}`);
  }
  return complaints;
}

t.test('a server gives back what it is sent, of each datatype, by each protocol', async (t) => {
  for (const dtype of DTYPES) {
    const { target, signature } = await anEcho(t, dtype);
    const [synthetic] = syntheticSamples(signature, {
      count: 1,
      batch: 2,
      shapes: { x: [5] },
      random: seededRandom(7),
    });
    const inputs = [tensorOf(dtype, VALUES[dtype]), synthetic?.inputs[0]];
    const samples = inputs.flatMap((input) =>
      input === undefined ? [] : [{ inputs: [input], expected: [{ ...input, name: 'y' }] }],
    );
    t.equal(samples.length, 2);
    // Wrong on purpose: what comes back must be seen to differ.
    const wrong = tensorOf(dtype, [...VALUES[dtype]].reverse(), 'y');
    const lie = { inputs: [tensorOf(dtype, VALUES[dtype])], expected: [wrong] };
    for (const protocol of PROTOCOLS) {
      const sender = await senderTo(t, target(protocol));
      const complaints = await checked(sender, target(protocol), [...samples, lie]);
      t.same(complaints.slice(0, 2), [undefined, undefined], `${dtype} by ${protocol}`);
      t.match(complaints[2], /^output "y"\[0\]: expected .+, found /, `${dtype} by ${protocol}`);
    }
  }
});

t.test('a version of any letters is asked for by its name', async (t) => {
  const version = 'été 2/b';
  const { target } = await anEcho(t, 'INT8', { version });
  for (const protocol of PROTOCOLS) {
    const versioned: Target = { ...target(protocol), version, headers: { 'X-Tenant': 'a' } };
    const sender = await senderTo(t, versioned);
    const input = tensorOf('INT8', [1, 2]);
    const sample = { inputs: [input], expected: [{ ...input, name: 'y' }] };
    t.same(await checked(sender, versioned, [sample]), [undefined], protocol);
    const gone: Target = { ...versioned, version: 'none' };
    t.match(await checked(await senderTo(t, gone), gone, [sample]), [/^refused: /], protocol);
  }
});

t.test('an HTTP request holds the headers, one host and the encoded names', async (t) => {
  const target: Target = {
    address: { host: '::1', port: 80, tls: false },
    protocol: 'rest-json',
    model: 'a/b c',
    version: '1?',
    headers: { 'X-Tenant': 'ünder', Authorization: 'Bearer x' },
  };
  const sample = { inputs: [tensorOf('FP32', [0.1, 16_777_216, 1e-45])] };
  const [request] = requestsFor(target, [sample]);
  t.equal(
    Buffer.from(request ?? []).toString('latin1'),
    [
      'POST /v2/models/a%2Fb%20c/versions/1%3F/infer HTTP/1.1',
      'host: [::1]:80',
      'x-tenant: ünder',
      'authorization: Bearer x',
      'content-type: application/json',
      'content-length: 85',
      '',
      '{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[0.1,16777216,1e-45]}]}',
    ].join('\r\n'),
  );
  const elsewhere = { ...target, headers: { Host: 'models.example' } };
  const text = Buffer.from(requestsFor(elsewhere, [sample])[0] ?? []).toString('latin1');
  t.same(text.match(/^host:.*$/gim), ['host: models.example']);
});

t.test('a header that would break a request is refused, on every wire', async (t) => {
  const base = { address: { host: 'h', port: 1, tls: false }, model: 'm', version: undefined };
  for (const protocol of PROTOCOLS) {
    const make = (headers: Record<string, string>) => () => {
      wireFor({ ...base, protocol, headers }, 1);
      requestsFor({ ...base, protocol, headers }, []);
    };
    t.throws(make({ a: 'x\r\nb: y' }), /header a: expected one line/, protocol);
    t.throws(make({ a: '模' }), /header a: expected one line/, protocol);
    t.throws(make({ 'a:': 'x' }), /header "a:": expected a name/, protocol);
    t.throws(make({ 'Content-Length': '1' }), /the protocol decides/, protocol);
  }
});

t.test('bytes that are no text cannot go into JSON, which is said', async (t) => {
  const base = { address: { host: 'h', port: 1, tls: false }, model: 'm', version: undefined };
  const target: Target = { ...base, protocol: 'rest-json', headers: {} };
  const samples = [
    { inputs: [tensorOf('BYTES', [Buffer.from('a')])] },
    { inputs: [tensorOf('BYTES', [Buffer.from('a'), Buffer.from([0xff])])] },
  ];
  t.throws(() => requestsFor(target, samples), /^sample 1: x\[1\]: expected text in UTF-8/);
});

const Y = { name: 'y', dtype: 'FP32', shape: [1, 2] } as const;

/** A ModelInferResponse as a client made from the proto files writes it. */
function grpcAnswer(message: Readonly<Record<string, unknown>>): Buffer {
  const method = methodsOf(DEFINITIONS, INFERENCE)['ModelInfer'];
  if (method === undefined) throw new Error('no ModelInfer');
  return method.responseSerialize({ model_name: 'm', ...message });
}

function jsonAnswer(parts: Readonly<Record<string, unknown>>, more = {}): Buffer {
  const output = { name: 'y', datatype: 'FP32', shape: [1, 2], ...parts };
  return Buffer.from(JSON.stringify({ model_name: 'm', ...more, outputs: [output] }));
}

function oneCheck(form: AnswerForm, expected: readonly Tensor[] | undefined, off = EXACT) {
  return answerChecker({ form, expected: [expected], ...off });
}

t.test('typed contents are read, packed as they come', async (t) => {
  const fields: Partial<Record<Dtype, string>> = {
    BOOL: 'bool_contents',
    INT8: 'int_contents',
    INT16: 'int_contents',
    INT32: 'int_contents',
    INT64: 'int64_contents',
    UINT8: 'uint_contents',
    UINT16: 'uint_contents',
    UINT32: 'uint_contents',
    UINT64: 'uint64_contents',
    FP32: 'fp32_contents',
    FP64: 'fp64_contents',
    BYTES: 'bytes_contents',
  };
  for (const dtype of DTYPES) {
    const field = fields[dtype];
    if (field === undefined) continue;
    const values = VALUES[dtype].map((value) =>
      typeof value === 'bigint' ? String(value) : dtype === 'BOOL' ? value === 1 : value,
    );
    const shape = [1, values.length];
    const contents = { [field]: values };
    const body = grpcAnswer({ outputs: [{ name: 'y', datatype: dtype, shape, contents }] });
    t.equal(oneCheck('grpc', [tensorOf(dtype, VALUES[dtype], 'y')])(0, body, ''), undefined, dtype);
  }
});

t.test(
  'numbers may be off by the tolerance and no more; whole numbers and text by nothing',
  async (t) => {
    const off = { absolute: 0.01, relative: 0.1 };
    const check = oneCheck('rest-json', [tensorOf('FP32', [1, Number.NaN], 'y')], off);
    const answer = (first: number) =>
      Buffer.from(
        `{"outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[[${first},NaN]]}]}`,
      );
    t.equal(check(0, answer(1.1), ''), undefined);
    t.equal(check(0, answer(0.9), ''), undefined);
    t.equal(check(0, answer(1.12), ''), 'output "y"[0]: expected 1, found 1.12');
    t.equal(check(0, answer(0.88), ''), 'output "y"[0]: expected 1, found 0.88');
    const whole = oneCheck('rest-json', [tensorOf('INT64', [2n ** 60n + 1n, 5n], 'y')], off);
    const body =
      '{"outputs":[{"name":"y","datatype":"INT64","shape":[1,2],"data":[1152921504606846976,5]}]}';
    t.equal(
      whole(0, Buffer.from(body), ''),
      'output "y"[0]: expected 1152921504606846977, found 1152921504606846976',
    );
    t.equal(whole(0, Buffer.from(body.replace('6976', '6977')), ''), undefined);
  },
);

t.test('shape, datatype and a missing output are reported; further outputs are fine', async (t) => {
  const check = oneCheck('rest-json', [tensorOf('FP32', [1, 2], 'y')]);
  t.equal(check(0, jsonAnswer({ data: [1, 2] }), ''), undefined);
  t.equal(
    check(0, jsonAnswer({ data: [1, 2], shape: [2, 1] }), ''),
    'output "y": expected FP32 [1,2], found FP32 [2,1]',
  );
  t.equal(
    check(0, jsonAnswer({ data: [1, 2], datatype: 'FP64' }), ''),
    'output "y": expected FP32 [1,2], found FP64 [1,2]',
  );
  t.equal(
    check(0, jsonAnswer({ data: [1, 2], name: 'z' }), ''),
    'output "y": expected FP32 [1,2], found no such output',
  );
  const two = { outputs: [{ ...json('z', [9]) }, { ...json('y', [1, 2]) }] };
  t.equal(check(0, Buffer.from(JSON.stringify(two)), ''), undefined);
});

function json(name: string, data: readonly number[]) {
  return { name, datatype: 'FP32', shape: [1, data.length], data };
}

t.test(
  'without an expectation the first answer of a request is it, regardless of its id',
  async (t) => {
    const check = answerChecker({ form: 'rest-json', expected: [], ...EXACT });
    t.equal(check(0, jsonAnswer({ data: [1, 2] }, { id: 'a' }), ''), undefined);
    t.equal(check(1, jsonAnswer({ data: [3, 4] }, { id: 'b' }), ''), undefined);
    t.equal(check(0, jsonAnswer({ data: [1, 2] }, { id: 'c"outputs"' }), ''), undefined);
    t.match(check(0, jsonAnswer({ data: [3, 4] }), ''), /expected 1, found 3/);
    t.equal(check(1, jsonAnswer({ data: [3, 4] }), ''), undefined);
    const grpc = oneCheck('grpc', undefined);
    const answer = (id: string, values: readonly number[]) =>
      grpcAnswer({
        id,
        outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2] }],
        raw_output_contents: [bytesOf('FP32', values)],
      });
    t.equal(grpc(0, answer('1', [1, 2]), ''), undefined);
    t.equal(grpc(0, answer('22', [1, 2]), ''), undefined);
    t.match(grpc(0, answer('22', [1, 3]), ''), /"y"\[1\]: expected 2, found 3/);
  },
);

t.test(
  'an expectation is not spoilt by what the buffer of its answer is used for next',
  async (t) => {
    const check = oneCheck('rest-binary', undefined);
    const json = Buffer.from(
      '{"outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}',
    );
    const head = `HTTP/1.1 200 OK\r\nInference-Header-Content-Length: ${json.length}`;
    const body = Buffer.concat([json, bytesOf('FP32', [1, 2])]);
    const kept = Buffer.from(body);
    t.equal(check(0, body, head), undefined);
    body.fill(0);
    t.equal(check(0, kept, head), undefined);
    t.match(
      check(0, Buffer.concat([json, bytesOf('FP32', [1, 5])]), head),
      /\[1\]: expected 2, found 5/,
    );
    t.match(check(0, kept, head.replace(/\d+$/, '7')), /^unreadable answer: /);
    t.match(check(0, kept, head.replace(/\d+$/, '9999')), /^unreadable answer: .*found 9999/);
  },
);

t.test('garbage is reported, never thrown', async (t) => {
  const random = seededRandom(11);
  const good: Readonly<Record<AnswerForm, Buffer>> = {
    'rest-json': jsonAnswer({ data: [1, 2] }),
    'rest-binary': jsonAnswer({ data: [1, 2] }),
    grpc: grpcAnswer({
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2] }],
      raw_output_contents: [bytesOf('FP32', [1, 2])],
    }),
  };
  const expected = [{ ...Y, data: bytesOf('FP32', [1, 2]) }];
  for (const form of ['rest-json', 'rest-binary', 'grpc'] as const) {
    const check = oneCheck(form, expected);
    for (const body of [
      Buffer.alloc(0),
      Buffer.from('{}'),
      Buffer.from('<html>'),
      Buffer.from('['),
    ]) {
      t.match(check(0, body, ''), /^(unreadable answer|output "y"): ./, `${form} ${body}`);
    }
    for (let round = 0; round < 300; round += 1) {
      const body = Buffer.from(good[form]);
      body[random.integer(body.length)] = random.integer(256);
      const cut = body.subarray(0, 1 + random.integer(body.length));
      const said = check(0, cut, '');
      if (said !== undefined) t.match(said, /^(unreadable answer|output )./);
    }
    t.equal(check(0, good[form], ''), undefined, `${form}: still sound`);
  }
});
