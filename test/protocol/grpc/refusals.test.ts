import { status } from '@grpc/grpc-js';
import t from 'tap';

import { aConversation, anInfer, anInput, floats } from './builders.ts';

type Refused = readonly [claim: string, request: object, details: RegExp, code?: status];

const typed = (datatype: string, contents: object, parts: object = {}) => ({
  model_name: 'm',
  inputs: [anInput({ datatype, contents, ...parts })],
});

const REFUSED: readonly Refused[] = [
  [
    'contents both ways',
    anInfer({ inputs: [anInput({ contents: { fp32_contents: [1, 2] } })] }),
    /contents field must not be specified when using raw_input_contents/,
  ],
  ['no contents', anInfer({ raw_input_contents: [] }), /unable to find data for input tensor 'x'/],
  [
    'more raw contents than inputs',
    anInfer({ raw_input_contents: [floats(1, 2), floats(3, 4)] }),
    /unexpected additional input data/,
  ],
  [
    'contents in another field than that of the datatype',
    typed('FP32', { fp64_contents: [1, 2] }),
    /expected fp32_contents for datatype FP32, found fp64_contents/,
  ],
  ['half precision in contents', typed('FP16', { fp32_contents: [1, 2] }), /raw_input_contents/],
  ['an INT8 out of range', typed('INT8', { int_contents: [1, 128] }), /expected -128 to 127/],
  ['a UINT16 out of range', typed('UINT16', { uint_contents: [65_536] }), /expected 0 to 65535/],
  ['an unknown datatype', anInfer({ inputs: [anInput({ datatype: 'FP8' })] }), /one of BOOL/],
  ['a negative dimension', anInfer({ inputs: [anInput({ shape: [-1, 2] })] }), /dimension/],
  [
    'a dimension that no double holds',
    anInfer({ inputs: [anInput({ shape: [1, '9223372036854775807'] })] }),
    /dimension of input 'x': .*, found 9223372036854775807/,
  ],
  [
    'a shape beyond all bounds',
    anInfer({ inputs: [anInput({ shape: [2 ** 52, 2 ** 52] })] }),
    /exceed maximum size/,
  ],
  ['too few bytes', anInfer({ raw_input_contents: [floats(1)] }), /Expected 8, got 4/],
  ['another shape', anInfer({ inputs: [anInput({ shape: [1, 3] })] }), /Expected \[-1,2\]/],
  ['an unknown output', anInfer({ outputs: [{ name: 'q' }] }), /unexpected inference output 'q'/],
  ['an unknown model', anInfer({ model_name: 'z' }), /Request for unknown model/, status.NOT_FOUND],
  ['an unknown version', anInfer({ model_version: '9' }), /'9'/, status.NOT_FOUND],
  [
    'shared memory',
    anInfer({
      inputs: [anInput({ parameters: { shared_memory_region: { string_param: 'r' } } })],
    }),
    /shared memory/,
    status.UNIMPLEMENTED,
  ],
  [
    'a reserved parameter',
    anInfer({ parameters: { triton_other: { bool_param: true } } }),
    /reserved|starts with 'triton_'/,
  ],
  [
    'a timeout that is text',
    anInfer({ parameters: { timeout: { string_param: '5' } } }),
    /unexpected timeout/,
  ],
  [
    'too many inputs',
    anInfer({ inputs: Array.from({ length: 17 }, () => anInput()) }),
    /expected at most 16/,
  ],
];

t.test(
  'a request that contradicts the protocol or the model is refused, and says why',
  async (t) => {
    const { call } = await aConversation(t);
    for (const [claim, request, details, code = status.INVALID_ARGUMENT] of REFUSED) {
      const { error } = await call('ModelInfer', { id: '7', ...request });
      t.equal(error?.code, code, claim);
      t.match(error?.details, details, claim);
    }
    t.equal((await call('ModelInfer', anInfer())).error, undefined, 'and then a good one');
  },
);

t.test('a refusal names the request by the id that its caller gave it', async (t) => {
  const { call } = await aConversation(t);
  const { error } = await call('ModelInfer', anInfer({ id: 'mine', model_name: 'z' }));
  t.match(error?.details, /^\[request id: mine\] Request for unknown model/);
});

t.test('an id of any characters is echoed, however it has to be written', async (t) => {
  const { call } = await aConversation(t);
  for (const id of ['a\nb', '\u0000\u007f', '100 %', 'ÄÖÜ 猫', '\ud83d\ude00']) {
    const { error } = await call('ModelInfer', anInfer({ id, model_name: 'z' }));
    t.equal(error?.code, status.NOT_FOUND);
    t.ok(error?.details.startsWith(`[request id: ${id}] Request`), JSON.stringify(id));
    t.match((await call('ModelInfer', anInfer({ id }))).answer, { id });
  }
});

t.test('bytes that are no message are the callers own fault in every call', async (t) => {
  const { callBytes } = await aConversation(t);
  for (const name of ['ModelInfer', 'ModelReady', 'RepositoryModelLoad', 'Check']) {
    const { error } = await callBytes(name, Buffer.from([0x0a, 0xff, 1]));
    t.equal(error?.code, status.INVALID_ARGUMENT, name);
    t.match(error?.details, /^malformed protobuf message/, name);
  }
});

t.test('a call that is no inference has no room for more than it can mean', async (t) => {
  const { callBytes } = await aConversation(t);
  const entry = Buffer.from([0x1a, 3, 0x0a, 1, 0x61]);
  const floods = [
    ['TraceSetting', Buffer.alloc(65_537, Buffer.from([0x12, 0]))],
    ['Check', Buffer.alloc(65_537, Buffer.from([0x12, 0]))],
    ['RepositoryModelLoad', Buffer.alloc(1_025 * entry.length, entry)],
  ] as const;
  for (const [name, bytes] of floods) {
    const { error } = await callBytes(name, bytes);
    t.equal(error?.code, status.INVALID_ARGUMENT, name);
    t.match(error?.details, /over the limit: expected at most \d+ (bytes|fields), found/, name);
    t.same(error?.metadata.get('x-understudy-error'), ['too_large'], name);
  }
});

t.test('a message over the limit is refused before it is read', async (t) => {
  const { call } = await aConversation(t, { limits: { messageBytesMax: 1_000 } });
  const { error } = await call(
    'ModelInfer',
    anInfer({ raw_input_contents: [Buffer.alloc(2_000)] }),
  );
  t.equal(error?.code, status.RESOURCE_EXHAUSTED);
  t.match(error?.details, /larger than max \(\d+ vs 1000\)/, 'by how much');
});

t.test('metadata that is no time is refused', async (t) => {
  const { call } = await aConversation(t);
  const metadata = { 'x-request-timeout-ms': 'soon' };
  const { error } = await call('ModelInfer', anInfer(), { metadata });
  t.equal(error?.code, status.INVALID_ARGUMENT);
  t.match(error?.details, /x-request-timeout-ms/);
});

t.test('refusals before the gateway are reported, and nothing else', async (t) => {
  const refused: string[] = [];
  const { call, callBytes } = await aConversation(t, {
    onRefused: (model, code) => refused.push(`${model} ${code}`),
  });
  await call('ModelInfer', anInfer());
  await call('ModelInfer', anInfer({ model_name: 'z' }));
  t.same(refused, [], 'the gateway counts its own');
  await call('ModelInfer', anInfer({ raw_input_contents: [] }));
  await callBytes('ModelInfer', Buffer.from([0x0a, 0xff, 1]));
  t.same(refused, ['m invalid_input', ' invalid_input']);
});
