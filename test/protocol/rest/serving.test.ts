import t from 'tap';

import { ServeError } from '../../../src/core/errors.ts';
import type { InferRequest } from '../../../src/core/infer.ts';
import type { Dtype, Signature } from '../../../src/core/tensor.ts';
import type { ServingHost } from '../../../src/gateway/gateway.ts';
import { EXTENSIONS } from '../../../src/protocol/extensions.ts';
import type { Feedback } from '../../../src/protocol/rest/feedback-route.ts';
import { aGateway, aRoute, aVersion, echoHost, PAIRS } from '../../gateway/builders.ts';
import { PLAIN_ROUTING } from '../builders.ts';
import {
  anInput,
  aServer,
  binaryCall,
  binaryInput,
  floats,
  inferCall,
  type ServerParts,
} from './builders.ts';

const HEADER = 'inference-header-content-length';

/** A server whose model echoes one input of this datatype and any shape. */
function echoOf(dtype: Dtype, shape: readonly number[] = [-1, -1]): ServerParts {
  const signature: Signature = {
    inputs: [{ name: 'x', dtype, shape }],
    outputs: [{ name: 'y', dtype, shape }],
  };
  const versions = [aVersion('1', { signature })];
  return { gateway: aGateway({ hosts: { '1': echoHost('1', signature) }, versions }) };
}

/** A gateway that keeps the requests that reached its host. */
function recording() {
  const requests: InferRequest[] = [];
  const host: ServingHost = {
    ...echoHost('1'),
    infer: (request, signal) => {
      requests.push(request);
      return echoHost('1').infer(request, signal);
    },
  };
  return { requests, gateway: aGateway({ hosts: { '1': host } }) };
}

t.test('JSON in, JSON out: with the version, the token and the echo of the id', async (t) => {
  const response = await aServer().app.inject(inferCall({ id: '7', inputs: [anInput()] }));
  t.strictSame(response.json(), {
    id: '7',
    model_name: 'm',
    model_version: '1',
    parameters: { 'x-understudy-feedback': 'token' },
    outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: [1.5, -2] }],
  });
  t.match(response.headers, { 'x-understudy-version': '1', 'x-understudy-feedback': 'token' });
  t.notOk(HEADER in response.headers);
});

t.test('a version of any letters is named in the header, percent-encoded', async (t) => {
  const version = 'été 2';
  const gateway = aGateway({
    routes: [aRoute({ stable: version, shares: [{ arm: 'stable', version, weightBp: 10_000 }] })],
    hosts: { [version]: echoHost(version) },
  });
  const response = await aServer({ gateway }).app.inject(inferCall({ inputs: [anInput()] }));
  t.equal(response.json().model_version, version);
  t.equal(response.headers['x-understudy-version'], encodeURIComponent(version));
});

t.test('binary in, binary out: the JSON head and the very bytes behind it', async (t) => {
  const head = { inputs: [binaryInput(8)], parameters: { binary_data_output: true } };
  const response = await aServer().app.inject(binaryCall(head, floats(1.5, -2)));
  const headBytes = Number(response.headers[HEADER]);
  t.match(JSON.parse(response.rawPayload.toString('utf8', 0, headBytes)), {
    outputs: [{ name: 'y', parameters: { binary_data_size: 8 } }],
  });
  t.same(response.rawPayload.subarray(headBytes), floats(1.5, -2));
  t.equal(response.headers['content-type'], 'application/octet-stream');
});

t.test('JSON that comes again is held to the tensors that it comes with', async (t) => {
  const { app } = aServer();
  const head = { inputs: [binaryInput(8)], parameters: { binary_data_output: true } };
  const answerTo = async (tensors: Buffer) => {
    const response = await app.inject(binaryCall(head, tensors));
    return { status: response.statusCode, tensors: response.rawPayload.subarray(-8) };
  };
  t.same(await answerTo(floats(1.5, -2)), { status: 200, tensors: floats(1.5, -2) });
  t.same(await answerTo(floats(3, 4)), { status: 200, tensors: floats(3, 4) });
  t.equal((await answerTo(floats(3))).status, 400, 'too few bytes');
  t.equal((await answerTo(floats(3, 4, 5))).status, 400, 'too many bytes');
});

t.test('more kinds of JSON than are remembered are answered each in its own way', async (t) => {
  const { app } = aServer();
  const typeOf = async (kind: number) => {
    const parameters = { binary_data_output: kind % 2 === 0, kind };
    const response = await app.inject(
      binaryCall({ inputs: [binaryInput(8)], parameters }, floats(1, 2)),
    );
    return response.headers['content-type'];
  };
  for (const kind of [...Array(300).keys(), 0, 1]) {
    const wanted = kind % 2 === 0 ? 'application/octet-stream' : 'application/json; charset=utf-8';
    t.equal(await typeOf(kind), wanted, `kind ${kind}`);
  }
});

t.test('an output says for itself how it is wanted, and wins over the request', async (t) => {
  const ask = (all: boolean, one: boolean | undefined) =>
    aServer().app.inject(
      inferCall({
        inputs: [anInput()],
        parameters: { binary_data_output: all },
        outputs: [
          { name: 'y', ...(one === undefined ? {} : { parameters: { binary_data: one } }) },
        ],
      }),
    );
  t.ok(HEADER in (await ask(true, undefined)).headers);
  t.ok(HEADER in (await ask(false, true)).headers);
  t.strictSame((await ask(true, false)).json().outputs[0].data, [1.5, -2]);
});

t.test('JSON and binary inputs go together in one request', async (t) => {
  const signature: Signature = {
    inputs: ['a', 'b', 'c'].map((name) => ({ name, dtype: 'FP32', shape: [-1, 2] })),
    outputs: ['a', 'b', 'c'].map((name) => ({ name, dtype: 'FP32', shape: [-1, 2] })),
  };
  const gateway = aGateway({ hosts: { '1': echoHost('1', signature) } });
  const inputs = [
    { ...binaryInput(8), name: 'a' },
    anInput({ name: 'b', data: [[3, 4]] }),
    { ...binaryInput(8), name: 'c' },
  ];
  const response = await aServer({ gateway }).app.inject(
    binaryCall({ inputs }, floats(1, 2, 5, 6)),
  );
  t.strictSame(
    response.json().outputs.map((output: { data: number[] }) => output.data),
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  );
});

t.test('a raw request is the only input, and gets binary back', async (t) => {
  const raw = { [HEADER]: '0' };
  const fixed = await aServer().app.inject(inferCall(floats(1, 2), raw));
  t.equal(fixed.statusCode, 200);
  t.same(fixed.rawPayload.subarray(Number(fixed.headers[HEADER])), floats(1, 2));
  const free = await aServer(echoOf('FP32', [-1, -1])).app.inject(inferCall(floats(1, 2, 3), raw));
  t.match(free.payload, /"shape":\[1,3\]/);
  const text = await aServer(echoOf('BYTES', [1])).app.inject(inferCall(Buffer.from('hi'), raw));
  t.same(text.rawPayload.subarray(-6), Buffer.from('\x02\0\0\0hi', 'latin1'));
  const twoFree = await aServer(echoOf('FP32', [-1, -1, -1])).app.inject(inferCall('', raw));
  t.match([twoFree.statusCode, twoFree.json().error], [400, /at most 1 free dimension/]);
});

const EXACT: readonly [Dtype, string][] = [
  ['BOOL', 'true,false'],
  ['UINT8', '0,255'],
  ['INT8', '-128,127'],
  ['UINT16', '0,65535'],
  ['INT16', '-32768,32767'],
  ['UINT32', '0,4294967295'],
  ['INT32', '-2147483648,2147483647'],
  ['UINT64', '0,18446744073709551615,9007199254740993'],
  ['INT64', '-9223372036854775808,9223372036854775807,9007199254740993'],
  // A whole -0 would be read as a whole number, which has no sign.
  ['FP32', '0.5,-0.0,NaN,Infinity,-Infinity'],
  ['FP64', '0.1,1e-320,1.7976931348623157e+308,NaN'],
  ['BYTES', '"","a","\\"\\\\","ü€😀"'],
];

t.test('every datatype comes back from JSON exactly as it went in', async (t) => {
  for (const [dtype, data] of EXACT) {
    const count = data.split(',').length;
    const body = `{"inputs":[{"data":[ [${data}] ],"name":"x","shape":[1,${count}],"datatype":"${dtype}"}]}`;
    const response = await aServer(echoOf(dtype)).app.inject(inferCall(body));
    t.match(response.payload, `"data":[${data}]}`, dtype);
  }
});

t.test('FP16 comes back in binary, bit for bit', async (t) => {
  const parameters = { binary_data_output: true };
  const head = { inputs: [{ ...binaryInput(4), datatype: 'FP16' }], parameters };
  const halves = Buffer.of(0x00, 0x3c, 0x01, 0x7c);
  const response = await aServer(echoOf('FP16')).app.inject(binaryCall(head, halves));
  t.same(response.rawPayload.subarray(-4), halves);
});

t.test('a tensor without elements is served', async (t) => {
  const empty = anInput({ shape: [1, 0], data: [] });
  const response = await aServer(echoOf('FP32')).app.inject(inferCall({ inputs: [empty] }));
  t.match(response.json().outputs, [{ shape: [1, 0], data: [] }]);
});

t.test('the priority goes with the request; nothing said is the default', async (t) => {
  const { requests, gateway } = recording();
  const { app } = aServer({ gateway });
  await app.inject(inferCall({ inputs: [anInput()], parameters: { priority: 2 } }));
  await app.inject(inferCall({ inputs: [anInput()] }));
  t.same(
    requests.map(({ priority }) => priority),
    [2, 0],
  );
});

t.test('the unit is the sequence, else the sticky header, else our own id', async (t) => {
  const { requests, gateway } = recording();
  const routing = {
    ...PLAIN_ROUTING,
    sticky: 'x-user',
    attributes: { tone: 'x-tone' },
    ruleHeaders: ['x-canary'],
  };
  const server = aServer({ gateway, routing: () => routing });
  const send = (parameters: object, headers: Readonly<Record<string, string>> = {}) =>
    server.app.inject(inferCall({ id: '1', parameters, inputs: [anInput()] }, headers));
  await send({ sequence_id: 7 }, { 'x-user': 'ann' });
  await send({ sequence_id: 0 }, { 'x-user': 'ann', 'x-tone': 'dark', 'x-canary': 'always' });
  await send({});
  await send({});
  const [sequence, sticky, first, second] = requests;
  t.equal(sequence?.unit, '7');
  t.match(sticky, { unit: 'ann', attributes: { tone: 'dark', 'header:x-canary': 'always' } });
  t.equal(first?.unit, first?.id);
  t.strictSame(first?.attributes, {});
  t.not(first?.unit, second?.unit, 'callers who repeat an id are not kept with one version');
});

t.test('the least of parameter, header and default is the deadline', async (t) => {
  const { requests, gateway } = recording();
  const server = aServer({ gateway, clock: { monotonicMs: () => 1_000_000, wallMs: () => 0 } });
  const send = (timeout: number, ms: string) =>
    server.app.inject(
      inferCall({ parameters: { timeout }, inputs: [anInput()] }, { 'x-request-timeout-ms': ms }),
    );
  await send(2_000_000, '3000');
  await send(2_000_000, '1500.5');
  await send(0, '9000000');
  t.strictSame(
    requests.map((request) => request.deadlineMs - 1_000_000),
    [2_000, 1_500.5, PLAIN_ROUTING.deadlineMs],
  );
});

t.test('errors carry their code, and when to try again', async (t) => {
  const failing = (error: unknown) => {
    const infer = async () => {
      throw error;
    };
    return aServer({ gateway: aGateway({ hosts: { '1': { ...echoHost('1'), infer } } }) }).app;
  };
  const call = inferCall({ inputs: [anInput()] });
  const full = new ServeError('overloaded', 'queue is full', { retryAfterMs: 2_500 });
  const busy = await failing(full).inject(call);
  t.match([busy.statusCode, busy.headers['retry-after']], [429, '3']);
  t.strictSame(busy.json(), { error: 'queue is full', code: 'overloaded' });
  const fault = await failing(new TypeError('secret detail')).inject(call);
  t.equal(fault.statusCode, 500);
  t.strictSame(fault.json(), { error: 'internal error', code: 'internal' });
});

t.test('health and metadata say what is true', async (t) => {
  const versions = [aVersion('1'), aVersion('2', { state: { kind: 'loading' } })];
  const { app } = aServer({ gateway: aGateway({ versions }) });
  const get = async (url: string) => {
    const response = await app.inject({ method: 'GET', url });
    return [response.statusCode, response.json()];
  };
  const server = { name: 'understudy', version: '0.0.0', extensions: [...EXTENSIONS] };
  for (const url of ['/v2', '/v2/', '/v2?test_1=1']) t.strictSame(await get(url), [200, server]);
  t.strictSame(await get('/v2/health/live'), [200, { live: true }]);
  t.strictSame(await get('/v2/health/ready'), [200, { live: true, ready: true }]);
  const tensors = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] };
  t.match(await get('/v2/models/m'), [200, { name: 'm', versions: ['1'], ...tensors }]);
  t.match(await get('/v2/models/m/versions/2'), [200, { versions: ['2'] }]);
  t.strictSame(await get('/v2/models/m/ready'), [200, { name: 'm', ready: true }]);
  t.match(await get('/v2/models/m/versions/2/ready'), [503, { ready: false, error: /loading/ }]);
  t.match(await get('/v2/models/m/versions/latest/ready'), [200, { ready: true }]);
  t.match(await get('/v2/models/q'), [404, { error: /^Request for unknown model: 'q'/ }]);
  t.match(await get(`/v2/models/${'n'.repeat(300)}`), [404, { code: 'model_not_found' }]);
  t.match(await get('/v2/models/%6D'), [200, { inputs: [{ shape: PAIRS.inputs[0]?.shape }] }]);
});

t.test('feedback takes a label and says what became of it', async (t) => {
  const feedback: Feedback = (target, label) => {
    const token = 'token' in target ? target.token : target.id;
    if (token === 'forged') throw new ServeError('invalid_input', 'expected a token of ours');
    if (label === 'spoon') throw new ServeError('invalid_input', 'expected a known label');
    return token === 'early' ? 'waiting' : 'joined';
  };
  const { app } = aServer({ feedback });
  const send = async (payload: string | object) => {
    const response = await app.inject({ method: 'POST', url: '/v1/feedback', payload });
    return [response.statusCode, response.json()];
  };
  t.match(await send({ token: 'a', label: 3 }), [200, { result: 'joined', state: 'joined' }]);
  t.match(await send({ token: 'early', label: 'shirt' }), [202, { result: 'waiting', why: /\S/ }]);
  t.match(await send({ token: 'forged', label: 3 }), [400, { error: 'expected a token of ours' }]);
  t.match(await send({ token: 'a', label: 'spoon' }), [400, { error: 'expected a known label' }]);
  t.match(await send({ label: 3 }), [400, { error: /expected token to be a string/ }]);
  t.match(await send({ token: 'a' }), [400, { error: /expected a label, found none/ }]);
  t.match(await send('nonsense'), [400, { error: /expected JSON/ }]);
  t.match(await send(`"${'x'.repeat(70_000)}"`), [413, { error: /at most 65536 bytes/ }]);
});
