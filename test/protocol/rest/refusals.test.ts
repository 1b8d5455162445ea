import t from 'tap';

import {
  anInput,
  aServer,
  binaryCall,
  binaryInput,
  type Call,
  floats,
  inferCall,
  LIMITS,
} from './builders.ts';

type Refusal = readonly [what: string, call: Call, status: number, message: RegExp];

const GOOD = inferCall({ inputs: [anInput()] });
const HEADER = 'inference-header-content-length';

const withInput = (parts: Readonly<Record<string, unknown>>): Call =>
  inferCall({ inputs: [anInput(parts)] });
const HUGE = withInput({ shape: [...Array(20).fill(2 ** 53 - 1), 0], datatype: 'BYTES', data: [] });
const at = (url: string): Call => ({ ...GOOD, url });

const CONTRADICTIONS: readonly Refusal[] = [
  [
    'an unknown model',
    at('/v2/models/q/infer'),
    404,
    /Request for unknown model: 'q'.*Expected one of 'm', found 'q'/,
  ],
  [
    'an unknown version',
    at('/v2/models/m/versions/9/infer'),
    404,
    /unknown model: 'm' version '9'.*Expected.*'1'.*found '9'/,
  ],
  [
    'a wrong shape',
    withInput({ shape: [2, 1] }),
    400,
    /unexpected shape for input 'x' for model 'm'. Expected \[-1,2\], got \[2,1\]/,
  ],
  [
    'a wrong datatype',
    withInput({ datatype: 'FP64' }),
    400,
    /unexpected datatype for input 'x'.*Expected FP32, got FP64/,
  ],
  [
    'an unknown datatype',
    withInput({ datatype: 'FLOAT' }),
    400,
    /expected one of BOOL.*found "FLOAT"/,
  ],
  [
    'an unknown input',
    withInput({ name: 'z' }),
    400,
    /unexpected inference input 'z'.*Expected 'x', got 'z'/,
  ],
  [
    'an unknown output',
    inferCall({ inputs: [anInput()], outputs: [{ name: 'z' }] }),
    400,
    /unexpected inference output 'z'.*Expected 'y', got 'z'/,
  ],
  ['a missing input', inferCall({ inputs: [] }), 400, /expected 1 inputs but got 0 inputs/],
  [
    'too few elements',
    withInput({ data: [1] }),
    400,
    /number of elements for input 'x': expected 2 for shape \[1,2\], found 1/,
  ],
  [
    'too many elements',
    withInput({ data: [[1, 2, 3]] }),
    400,
    /expected 2 for shape \[1,2\], found 3/,
  ],
  [
    'a fraction for an integer',
    withInput({ datatype: 'INT32', data: [1, 2.5] }),
    400,
    /expected a whole number from -2147483648 to 2147483647 for INT32, found 2.5/,
  ],
  [
    'an integer out of range',
    withInput({ datatype: 'UINT8', data: [1, 256] }),
    400,
    /from 0 to 255 for UINT8, found 256/,
  ],
  [
    'a 64-bit integer out of range',
    withInput({ datatype: 'INT64', data: [1, '9223372036854775808'].map(Number) }),
    400,
    /for INT64, found 9223372036854776000/,
  ],
  [
    'a number too large for FP32',
    withInput({ data: [1, 1e39] }),
    400,
    /expected a number.*for FP32, found 1e\+39/,
  ],
  [
    'a string for a number',
    withInput({ data: [1, '2'] }),
    400,
    /expected a number at byte \d+, found "\\"2\\"/,
  ],
  [
    'a number for a boolean',
    withInput({ datatype: 'BOOL', data: [true, 1] }),
    400,
    /expected true or false in the data of input 'x'/,
  ],
  [
    'a number for a string',
    withInput({ datatype: 'BYTES', data: ['a', 1] }),
    400,
    /expected a string in the data of input 'x'/,
  ],
];

const MALFORMED: readonly Refusal[] = [
  ['a shape beyond all bounds, times 0', HUGE, 400, /element count to exceed maximum size/],
  ['no body', inferCall(''), 400, /expected JSON, found: Unexpected end of JSON/],
  ['no JSON', inferCall('<xml/>'), 400, /expected JSON, found: Unexpected token/],
  ['no object', inferCall('[1]'), 400, /expected a JSON object, found \[1\]/],
  ['no inputs', inferCall({}), 400, /unexpected inputs: expected a JSON array, found nothing/],
  [
    'data cut off',
    inferCall('{"inputs":[{"name":"x","data":[1,2'),
    400,
    /expected the end of an array at byte 34, found the end of the JSON/,
  ],
  [
    'a string cut off',
    inferCall('{"inputs":[{"name":"x","data":["a'),
    400,
    /expected the end of a string/,
  ],
  [
    'a comma too many',
    inferCall(JSON.stringify({ inputs: [anInput()] }).replace('-2]', '-2,]')),
    400,
    /expected a number at byte \d+, found "\]/,
  ],
  [
    'a leading zero',
    inferCall(JSON.stringify({ inputs: [anInput()] }).replace('1.5', '01')),
    400,
    /expected a number without leading zeros/,
  ],
  [
    'data that is no array',
    withInput({ data: 5 }),
    400,
    /unexpected data of input 'x': expected an array, found 5/,
  ],
  [
    'no data',
    withInput({ data: undefined }),
    400,
    /expected 'data' or 'binary_data_size', found neither/,
  ],
  [
    'data twice',
    withInput({ parameters: { binary_data_size: 8 } }),
    400,
    /expected exactly one of.*found both/,
  ],
  [
    'a negative dimension',
    withInput({ shape: [-1, 2] }),
    400,
    /dimension of input 'x': expected a whole number from 0, found -1/,
  ],
  [
    'no shape',
    withInput({ shape: undefined }),
    400,
    /shape of input 'x': expected an array of numbers, found nothing/,
  ],
  [
    'a number as id',
    inferCall({ id: 7, inputs: [anInput()] }),
    400,
    /unexpected id: expected a string, found 7/,
  ],
  [
    'a reserved parameter',
    inferCall({ parameters: { triton_x: 1 }, inputs: [anInput()] }),
    400,
    /'triton_x'.*reserved/,
  ],
  [
    'a null parameter',
    inferCall({ parameters: { a: null }, inputs: [anInput()] }),
    400,
    /expected a string, number or boolean, found null/,
  ],
  [
    'a bad timeout',
    inferCall({ parameters: { timeout: -1 }, inputs: [anInput()] }),
    400,
    /timeout: expected a whole number from 0 to \d+, found -1/,
  ],
  [
    'a bad timeout header',
    { ...GOOD, headers: { 'x-request-timeout-ms': 'soon' } },
    400,
    /expected a positive number of milliseconds, found 'soon'/,
  ],
  [
    'a depth bomb',
    inferCall(`{"inputs":[{"data":${'['.repeat(50_000)}`),
    400,
    /nested too deep: expected at most 100 levels, found 101/,
  ],
  [
    'a depth bomb elsewhere',
    inferCall(`{"data":1,"x":${'{"a":'.repeat(9_000)}`),
    400,
    /nested too deep/,
  ],
];

const BINARY: readonly Refusal[] = [
  [
    'truncated tensors',
    binaryCall({ inputs: [binaryInput(8)] }, floats(1)),
    400,
    /unexpected size for input 'x', expecting 4 additional bytes: expected 8 bytes, found 4/,
  ],
  [
    'leftover bytes',
    binaryCall({ inputs: [binaryInput(8)] }, floats(1, 2, 3)),
    400,
    /unexpected additional input data for model 'm': expected 8 bytes.*found 12 \(4 left over\)/,
  ],
  [
    'a size that contradicts the shape',
    binaryCall({ inputs: [binaryInput(4)] }, floats(1)),
    400,
    /input byte size mismatch for input 'x' for model 'm'. Expected 8, got 4/,
  ],
  [
    'no header length',
    inferCall({ inputs: [binaryInput(8)] }),
    400,
    /Binary data needs a valid Inference-Header-Content-Length/,
  ],
  [
    'a header length that is no number',
    { ...GOOD, headers: { [HEADER]: 'ten' } },
    400,
    /Inference-Header-Content-Length: expected a whole number from 0 to \d+.*found 'ten'/,
  ],
  ['a negative header length', { ...GOOD, headers: { [HEADER]: '-1' } }, 400, /found '-1'/],
  [
    'a header length beyond the body',
    { ...GOOD, headers: { [HEADER]: '5000' } },
    400,
    /found '5000'/,
  ],
  [
    'a raw request of the wrong size',
    inferCall(floats(1), { [HEADER]: '0' }),
    400,
    /raw binary request for model 'm': expected 8 bytes for \[1,2\], found 4/,
  ],
];

const TOO_LARGE: readonly Refusal[] = [
  [
    'a body over the limit',
    inferCall('x'.repeat(LIMITS.bodyBytesMax + 1)),
    413,
    /expected at most 100000 bytes, found 100001/,
  ],
  [
    'JSON around tensors over its limit',
    inferCall({ x: 'y'.repeat(70_000), inputs: [anInput()] }),
    413,
    /JSON around the tensors.*expected at most 65536 bytes/,
  ],
  [
    'too many tensors',
    inferCall({ inputs: Array(5).fill(anInput()) }),
    413,
    /too many inputs: expected at most 4, found 5/,
  ],
  [
    'too many elements for JSON',
    withInput({ shape: [100, 200] }),
    413,
    /expected at most 10000, found 20000. Use the binary/,
  ],
  [
    'an element count beyond counting',
    withInput({ shape: [2 ** 40, 2 ** 40] }),
    400,
    /causes total element count to exceed maximum size of 9007199254740991/,
  ],
  [
    'a byte size beyond counting',
    withInput({ shape: [2 ** 52, 1] }),
    400,
    /byte size overflow for input 'x': expected at most/,
  ],
];

const UNSUPPORTED: readonly Refusal[] = [
  [
    'a compressed body',
    { ...GOOD, headers: { 'content-encoding': 'br' } },
    501,
    /expected one of gzip, deflate and identity, found 'br'/,
  ],
  [
    'shared memory',
    withInput({ data: undefined, parameters: { shared_memory_region: 'r' } }),
    501,
    /shared memory for input 'x' is not served/,
  ],
];

t.test('bad requests are refused with what was expected and what was found', async (t) => {
  const server = aServer();
  t.teardown(() => server.close());
  for (const [what, call, status, message] of [
    ...CONTRADICTIONS,
    ...MALFORMED,
    ...BINARY,
    ...TOO_LARGE,
    ...UNSUPPORTED,
  ]) {
    const response = await server.app.inject(call);
    t.equal(response.statusCode, status, `${what}: status`);
    t.match(response.json().error, message, `${what}: message`);
  }
  const response = await server.app.inject(GOOD);
  t.equal(response.statusCode, 200, 'a good request is served after all that');
});

t.test('unknown paths and verbs are refused', async (t) => {
  const server = aServer();
  t.teardown(() => server.close());
  const unknown = await server.app.inject({ method: 'GET', url: '/v3' });
  t.match([unknown.statusCode, unknown.json()], [404, { error: 'Not Found' }]);
  const undecodable = await server.app.inject({ method: 'GET', url: '/v2/models/%ZZ' });
  t.match([undecodable.statusCode, undecodable.json()], [400, { code: 'invalid_input' }]);
  const wrongVerb = await server.app.inject({ method: 'GET', url: '/v2/models/m/infer' });
  t.match([wrongVerb.statusCode, wrongVerb.headers['allow']], [405, 'POST']);
  t.match(wrongVerb.json().error, /^Method Not Allowed: expected POST, found GET/);
});

t.test('refusals before the gateway are reported, and nothing else', async (t) => {
  const refused: string[] = [];
  const server = aServer({ onRefused: (model, code) => refused.push(`${model} ${code}`) });
  for (const call of [GOOD, at('/v2/models/q/infer')]) await server.app.inject(call);
  t.same(refused, [], 'the gateway counts its own');
  for (const body of ['{"inputs":', { inputs: [anInput({ shape: [-1, 2] })] }])
    await server.app.inject(inferCall(body));
  t.same(refused, ['m invalid_input', 'm invalid_input']);
  refused.length = 0;
  const long = Buffer.alloc(LIMITS.bodyBytesMax + 1, 0x20);
  for (const headers of [{}, { 'content-encoding': 'gzip' }, { 'content-encoding': 'br' }])
    await server.app.inject(inferCall(long, headers));
  t.same(refused, ['m too_large', 'm invalid_input', 'm unsupported'], 'bodies that are not read');
  await server.app.inject({ method: 'POST', url: '/v2/repository/index', payload: long });
  t.equal(refused.length, 3, 'calls that are no inference are not counted');
});

/** Bytes that are no UTF-8, in each place where a request may have text. */
const NOT_UTF8: readonly [string, string, string][] = [
  ['an id', '/v2/models/m/infer', `{"id":"\xff\xfe","inputs":[${JSON.stringify(anInput())}]}`],
  ['a small head', '/v2/models/m/infer', '{"id":"\xff"}'],
  [
    'an element',
    '/v2/models/m/infer',
    '{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["\xc3("]}]}',
  ],
  ['a call that is no inference', '/v2/logging', '{"log_file":"\xff"}'],
  [
    'a long text',
    '/v2/repository/models/m/load',
    `{"parameters":{"config":"${'\xff'.repeat(5_000)}"}}`,
  ],
  ['feedback', '/v1/feedback', '{"token":"\xff","label":1}'],
];

t.test('text that is not UTF-8 is refused, and nothing put in its place', async (t) => {
  const { app } = aServer();
  for (const [where, url, text] of NOT_UTF8) {
    const answer = await app.inject({ method: 'POST', url, payload: Buffer.from(text, 'latin1') });
    t.equal(answer.statusCode, 400, where);
    t.match(answer.json(), { code: 'invalid_input', error: /UTF-8/ }, where);
  }
});
