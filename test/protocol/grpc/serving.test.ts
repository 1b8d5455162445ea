import { status } from '@grpc/grpc-js';
import t from 'tap';

import { deferred } from '../../../src/concurrency/deferred.ts';
import type { CancelSignal } from '../../../src/core/cancel-signal.ts';
import { ServeError } from '../../../src/core/errors.ts';
import type { InferRequest } from '../../../src/core/infer.ts';
import { aGateway, aVersion, echoHost, PAIRS } from '../../gateway/builders.ts';
import { until } from '../../support/until.ts';
import { PLAIN_ROUTING } from '../builders.ts';
import { aSession, ended, framed } from './a-session.ts';
import { aConversation, anInfer, anInput, encoded, floats } from './builders.ts';

/** A gateway that keeps the last request it was given, and echoes. */
function aListener() {
  const heard: InferRequest[] = [];
  const host = echoHost('1');
  const gateway = aGateway({
    hosts: {
      '1': {
        ...host,
        infer: (request, signal) => {
          heard.push(request);
          return host.infer(request, signal);
        },
      },
    },
  });
  return { heard, gateway };
}

t.test('raw contents are answered raw, with the version and the token ahead', async (t) => {
  const { call } = await aConversation(t);
  const { answer, error, metadata } = await call('ModelInfer', anInfer({ id: 'mine' }));
  t.equal(error, undefined);
  t.match(answer, {
    model_name: 'm',
    model_version: '1',
    id: 'mine',
    parameters: { 'x-understudy-feedback': { string_param: 'token' } },
    outputs: [{ name: 'y', datatype: 'FP32', shape: ['1', '2'], contents: null }],
    raw_output_contents: [floats(1.5, -2)],
  });
  t.same(metadata.get('x-understudy-version'), ['1']);
  t.same(metadata.get('x-understudy-feedback'), ['token']);
});

t.test(
  'typed contents are answered in both forms: each client reads the one it knows',
  async (t) => {
    const { call } = await aConversation(t);
    const input = anInput({ contents: { fp32_contents: [1.5, -2] } });
    const { answer } = await call('ModelInfer', { model_name: 'm', inputs: [input] });
    t.match(answer, {
      outputs: [{ contents: { fp32_contents: [1.5, -2] } }],
      raw_output_contents: [floats(1.5, -2)],
    });
  },
);

t.test('a parameter asks for one form of contents in the answer', async (t) => {
  const { call } = await aConversation(t);
  const typed = { typed_contents: { bool_param: true } };
  t.match((await call('ModelInfer', anInfer({ parameters: typed }))).answer, {
    outputs: [{ contents: { fp32_contents: [1.5, -2] } }],
    raw_output_contents: [],
  });
  const inputs = [anInput({ contents: { fp32_contents: [1.5, -2] } })];
  const raw = { model_name: 'm', inputs, parameters: { typed_contents: { bool_param: false } } };
  t.match((await call('ModelInfer', raw)).answer, {
    outputs: [{ contents: null }],
    raw_output_contents: [floats(1.5, -2)],
  });
  const wrong = anInfer({ parameters: { typed_contents: { int64_param: 1 } } });
  t.equal((await call('ModelInfer', wrong)).error?.code, status.INVALID_ARGUMENT);
});

t.test('what a request says reaches the gateway', async (t) => {
  const { heard, gateway } = aListener();
  const routing = () => ({
    ...PLAIN_ROUTING,
    sticky: 'x-user-id',
    attributes: { tone: 'x-tone' },
    ruleHeaders: ['x-canary'],
  });
  const { call } = await aConversation(t, { gateway, routing });
  const metadata = { 'x-user-id': 'ada', 'x-tone': 'dark', 'x-canary': 'always' };
  const parameters = { priority: { uint64_param: 2 } };
  const request = anInfer({ model_version: 'stable', parameters, outputs: [{ name: 'y' }] });
  const { error, answer } = await call('ModelInfer', request, { metadata });
  t.equal(error, undefined);
  t.match(answer, { model_version: '1' }, 'an alias is answered by the version that it names');
  t.match(heard[0], {
    unit: 'ada',
    version: 'stable',
    priority: 2,
    attributes: { tone: 'dark', 'header:x-canary': 'always' },
    outputs: ['y'],
  });
});

t.test('metadata in binary is ignored', async (t) => {
  const { heard, gateway } = aListener();
  const routing = () => ({
    ...PLAIN_ROUTING,
    sticky: 'x-user-bin',
    attributes: { tone: 'x-tone' },
  });
  const { port } = await aConversation(t, { gateway, routing });
  const { open } = await aSession(t, port);
  const binary = Buffer.from([0xff, 0, 0x80]).toString('base64');
  const call = open('ModelInfer', { 'x-user-bin': binary, 'trace-bin': binary, 'x-tone': 'dark' });
  call.end(framed(encoded(anInfer())));
  t.match(await ended(call), { code: String(status.OK) });
  t.match(heard, [{ attributes: { tone: 'dark' }, unit: heard[0]?.id }]);
});

t.test('a sequence is one unit, whether its id is a number or a string', async (t) => {
  const { heard, gateway } = aListener();
  const { call } = await aConversation(t, { gateway });
  const ids = [
    { int64_param: '42' },
    { string_param: 'forty-two' },
    { uint64_param: '18446744073709551615' },
  ];
  for (const id of ids) await call('ModelInfer', anInfer({ parameters: { sequence_id: id } }));
  t.same(
    heard.map(({ unit }) => unit),
    ['42', 'forty-two', '18446744073709551615'],
  );
});

t.test('the shortest of all deadlines holds', async (t) => {
  const { heard, gateway } = aListener();
  const { call } = await aConversation(t, { gateway });
  const left = async (...args: Parameters<typeof call>) => {
    const before = performance.now();
    await call(...args);
    return (heard.at(-1)?.deadlineMs ?? 0) - before;
  };
  const timeout = anInfer({ parameters: { timeout: { int64_param: 2_000_000 } } });
  t.ok((await left('ModelInfer', anInfer())) > 4_000, 'the default of the model');
  t.ok((await left('ModelInfer', timeout)) < 3_000, 'the parameter, in microseconds');
  const metadata = { 'x-request-timeout-ms': '1500' };
  t.ok((await left('ModelInfer', timeout, { metadata })) < 2_000, 'the metadata');
  t.ok((await left('ModelInfer', timeout, { deadlineMs: 1_200 })) < 1_600, 'the call');
});

t.test('a call past its deadline ends as such and lets go of its request', async (t) => {
  let signal: CancelSignal | undefined;
  const host = {
    ...echoHost('1'),
    infer: (_: InferRequest, given: CancelSignal) => {
      signal = given;
      return new Promise<never>(() => {});
    },
  };
  const gateway = aGateway({ hosts: { '1': host } });
  const { call } = await aConversation(t, { gateway });
  const { error } = await call('ModelInfer', anInfer(), { deadlineMs: 50 });
  t.equal(error?.code, status.DEADLINE_EXCEEDED);
  await until('the request is let go of', () => gateway.inFlight() === 0);
  t.ok(signal);
});

t.test('a cancelled call aborts its request', async (t) => {
  const started = deferred<CancelSignal>();
  const host = {
    ...echoHost('1'),
    infer: (_: InferRequest, signal: CancelSignal) => {
      started.resolve(signal);
      return new Promise<never>(() => {});
    },
  };
  const gateway = aGateway({ hosts: { '1': host } });
  const { call } = await aConversation(t, { gateway });
  const caller = new AbortController();
  const called = call('ModelInfer', anInfer(), { signal: caller.signal });
  const signal = await started.promise;
  caller.abort();
  t.equal((await called).error?.code, status.CANCELLED);
  await until('the request is let go of', () => signal.aborted && gateway.inFlight() === 0);
});

t.test('classes are picked where they are asked for', async (t) => {
  const labels = new Map([['y', ['cat', 'dog']]]);
  const gateway = aGateway({ versions: [aVersion('1', { labels })] });
  const { call } = await aConversation(t, { gateway });
  const outputs = [{ name: 'y', parameters: { classification: { int64_param: 1 } } }];
  const { answer } = await call('ModelInfer', anInfer({ outputs }));
  t.match(answer, { outputs: [{ name: 'y', datatype: 'BYTES', shape: ['1', '1'] }] });
  const [bytes] = (answer?.['raw_output_contents'] ?? []) as Buffer[];
  t.equal(bytes?.toString('utf8', 4), '1.500000:0:cat');
  const none = [{ name: 'y', parameters: { classification: { int64_param: 0 } } }];
  t.equal(
    (await call('ModelInfer', anInfer({ outputs: none }))).error?.code,
    status.INVALID_ARGUMENT,
  );
});

t.test('half a megabyte goes both ways', async (t) => {
  const gateway = aGateway({
    limits: { inFlightMax: 10, armInFlightMax: 10, rowsMax: () => 100_000 },
  });
  const { call } = await aConversation(t, { gateway });
  const rows = 70_000;
  const raw = Buffer.alloc(rows * 8, 7);
  const inputs = [anInput({ shape: [rows, 2] })];
  const { answer } = await call('ModelInfer', anInfer({ inputs, raw_input_contents: [raw] }));
  const [bytes] = (answer?.['raw_output_contents'] ?? []) as Buffer[];
  t.ok(bytes?.equals(raw));
});

t.test('an internal fault is reported, and its caller learns no more than that', async (t) => {
  const reported: unknown[] = [];
  const tokenFor = () => {
    throw new TypeError('secret');
  };
  const onInternalError = (_: string, error: unknown) => reported.push(error);
  const { call } = await aConversation(t, { tokenFor, onInternalError });
  const { error } = await call('ModelInfer', anInfer({ id: 'a' }));
  t.equal(error?.code, status.INTERNAL);
  t.equal(error?.details, 'internal error');
  t.match(reported, [{ message: 'secret' }]);
});

t.test('a caller that should retry later learns when', async (t) => {
  const refuse = async () => {
    throw new ServeError('overloaded', 'full', { retryAfterMs: 20 });
  };
  const gateway = aGateway({ hosts: { '1': { ...echoHost('1', PAIRS), infer: refuse } } });
  const { call } = await aConversation(t, { gateway });
  const { error } = await call('ModelInfer', anInfer({ id: 'a' }));
  t.equal(error?.code, status.UNAVAILABLE);
  t.equal(error?.details, '[request id: a] full');
  t.same(error?.metadata.get('grpc-retry-pushback-ms'), ['20']);
  t.same(error?.metadata.get('x-understudy-error'), ['overloaded']);
});

t.test('a stopping server refuses what is new in the words that clients know', async (t) => {
  const gateway = aGateway();
  const { call } = await aConversation(t, { gateway });
  await gateway.drain();
  const { error } = await call('ModelInfer', anInfer());
  t.equal(error?.code, status.UNAVAILABLE);
  t.match(error?.details, /^GRPC server is shutting down and has stopped accepting new requests\./);
});
