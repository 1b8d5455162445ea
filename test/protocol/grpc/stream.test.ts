import { once } from 'node:events';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { type Deferred, deferred } from '../../../src/concurrency/deferred.ts';
import type { CancelSignal } from '../../../src/core/cancel-signal.ts';
import { ANY_ASKER } from '../../../src/core/entrance.ts';
import type { Infer, InferRequest } from '../../../src/core/infer.ts';
import { createAnswerInfer } from '../../../src/protocol/grpc/answer-infer.ts';
import { INFERENCE, inBytes, methodsOf } from '../../../src/protocol/grpc/definitions.ts';
import type { OpenStreams } from '../../../src/protocol/grpc/open-streams.ts';
import { createStreamCall } from '../../../src/protocol/grpc/stream.ts';
import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import { aGateway, echoHost } from '../../gateway/builders.ts';
import { until } from '../../support/until.ts';
import { aService } from '../builders.ts';
import { aSession, ended, framed } from './a-session.ts';
import {
  aClient,
  aConversation,
  anInfer,
  anInput,
  BUDGET_BYTES,
  DEFINITIONS,
  encoded,
  floats,
  LIMITS,
} from './builders.ts';

/** A gateway that answers a request on demand, by the first number of its tensor. */
function aPatientGateway() {
  const waiting = new Map<number, Deferred<void>>();
  const signals: CancelSignal[] = [];
  const host = echoHost('1');
  const gateway = aGateway({
    hosts: {
      '1': {
        ...host,
        infer: async (request: InferRequest, signal) => {
          const data = request.inputs[0]?.data ?? new Uint8Array();
          const gate = deferred<void>();
          waiting.set(Buffer.from(data).readFloatLE(), gate);
          signals.push(signal);
          await gate.promise;
          return host.infer(request, signal);
        },
      },
    },
  });
  return { gateway, waiting, signals };
}

function numbered(number: number) {
  return anInfer({ id: String(number), raw_input_contents: [floats(number, 0)] });
}

t.test('answers come in the order of the requests, each said to be the only one', async (t) => {
  const { gateway, waiting } = aPatientGateway();
  const { stream } = await aConversation(t, { gateway });
  const { stream: calls, ended } = stream();
  for (const number of [1, 2, 3]) calls.write(numbered(number));
  calls.end();
  await until('all are at work', () => waiting.size === 3);
  for (const number of [3, 2, 1]) waiting.get(number)?.resolve();
  const { answers, code } = await ended;
  t.equal(code, status.OK);
  t.match(
    answers,
    ['1', '2', '3'].map((id) => ({
      error_message: '',
      infer_response: {
        id,
        model_version: '1',
        parameters: {
          triton_final_response: { bool_param: true },
          'x-understudy-feedback': { string_param: 'token' },
        },
        raw_output_contents: [floats(Number(id), 0)],
      },
    })),
  );
});

t.test('a request that fails is answered inside the stream, which continues', async (t) => {
  const { stream } = await aConversation(t);
  const { stream: calls, ended } = stream();
  calls.write(anInfer({ id: 'bad', inputs: [anInput({ name: 'z' })] }));
  calls.write(anInfer({ id: 'good' }));
  calls.end();
  const { answers, code } = await ended;
  t.equal(code, status.OK);
  t.match(answers, [
    {
      error_message: /^\[request id: bad\] unexpected inference input 'z'/,
      infer_response: { id: 'bad' },
    },
    { error_message: '', infer_response: { id: 'good' } },
  ]);
});

t.test('metadata asks that the first failure end the stream with its status', async (t) => {
  const { stream } = await aConversation(t);
  const { stream: calls, ended } = stream({ triton_grpc_error: 'true' });
  calls.write(anInfer({ id: 'good' }));
  calls.write(anInfer({ id: 'bad', model_name: 'nobody' }));
  calls.write(anInfer({ id: 'late' }));
  const { answers, code, details } = await ended;
  t.equal(code, status.NOT_FOUND);
  t.match(details, /^\[request id: bad\] Request for unknown model: 'nobody' is not found/);
  t.match(answers, [{ infer_response: { id: 'good' } }]);
  t.equal(answers.length, 1);
});

t.test('a stream reads no more than it may have in flight', async (t) => {
  const { gateway, waiting } = aPatientGateway();
  const { stream } = await aConversation(t, { gateway, limits: { streamRequestsMax: 2 } });
  const { stream: calls, ended } = stream();
  for (const number of [1, 2, 3, 4, 5]) calls.write(numbered(number));
  calls.end();
  await until('two are at work', () => waiting.size === 2);
  waiting.get(1)?.resolve();
  await until('the next has taken its place', () => waiting.has(3));
  t.same([...waiting.keys()], [1, 2, 3]);
  for (const number of [2, 3, 4, 5]) {
    await until('it is at work', () => waiting.has(number));
    waiting.get(number)?.resolve();
  }
  t.equal((await ended).answers.length, 5);
});

t.test('requests that are large together are read one at a time', async (t) => {
  const { gateway, waiting } = aPatientGateway();
  const { stream } = await aConversation(t, { gateway, limits: { messageBytesMax: 120 } });
  const { stream: calls, ended } = stream();
  for (const number of [1, 2, 3, 4]) {
    calls.write(anInfer({ id: 'x'.repeat(40), raw_input_contents: [floats(number, 0)] }));
  }
  calls.end();
  for (const number of [1, 2, 3, 4]) {
    await until('it is at work', () => waiting.has(number));
    t.ok(waiting.size <= number + 1, `${waiting.size} at work or done`);
    waiting.get(number)?.resolve();
  }
  t.equal((await ended).answers.length, 4);
});

t.test('answers that are not read do not pile up, and are there once they are read', async (t) => {
  const { gateway, heard } = aListener();
  const { port } = await aConversation(t, { gateway, limits: { messageBytesMax: 100 } });
  const { session, open } = await aSession(t, port, { settings: { initialWindowSize: 0 } });
  const calls = open('ModelStreamInfer');
  const count = 40;
  calls.end(Buffer.concat(Array.from({ length: count }, () => framed(encoded(anInfer())))));
  await once(calls, 'response');
  const other = open('ServerLive');
  other.end(framed(Buffer.alloc(0)));
  await once(other, 'response');
  t.ok(heard() < 10, `${heard()} of ${count} have been answered`);
  session.settings({ initialWindowSize: 100_000 });
  t.match(await ended(calls), { code: String(status.OK) });
  t.equal(heard(), count);
});

/** A gateway that counts the requests that it hears, and echoes. */
function aListener() {
  let count = 0;
  const host = echoHost('1');
  const infer: Infer = (...args) => {
    count += 1;
    return host.infer(...args);
  };
  return { gateway: aGateway({ hosts: { '1': { ...host, infer } } }), heard: () => count };
}

t.test('a cancelled stream lets go of all that is in it', async (t) => {
  const { gateway, waiting, signals } = aPatientGateway();
  const { stream } = await aConversation(t, { gateway });
  const { stream: calls, ended } = stream();
  for (const number of [1, 2, 3]) calls.write(numbered(number));
  await until('all are at work', () => waiting.size === 3);
  calls.cancel();
  t.equal((await ended).code, status.CANCELLED);
  await until('all are let go of', () => gateway.inFlight() === 0);
  t.ok(signals.every((signal) => signal.aborted));
});

t.test('a message that is none is refused like any other request', async (t) => {
  const { stream } = await aConversation(t);
  const { stream: calls, ended } = stream();
  calls.write(anInfer({ inputs: [anInput({ contents: { fp64_contents: [1, 2] } })] }));
  calls.write(anInfer({ id: 'good' }));
  calls.end();
  const { answers } = await ended;
  t.equal(answers.length, 2);
  t.match(answers[1], { error_message: '', infer_response: { id: 'good' } });
});

t.test('a stream without requests ends well', async (t) => {
  const { stream } = await aConversation(t);
  const { stream: calls, ended } = stream();
  calls.end();
  t.match(await ended, { answers: [], code: status.OK });
});

t.test('a stopping server ends the streams that are open', async (t) => {
  const { server, stream } = await aConversation(t);
  const { stream: calls, ended } = stream();
  const first = new Promise((resolve) => calls.once('data', resolve));
  calls.write(anInfer());
  await first;
  await server.close();
  const { code, details } = await ended;
  t.equal(code, status.UNAVAILABLE);
  t.match(details, /^GRPC server is shutting down/);
});

t.test('a stopping server answers what a stream has brought before', async (t) => {
  const { gateway, waiting } = aPatientGateway();
  const { server, stream } = await aConversation(t, { gateway });
  const [all, more] = [stream(), stream()];
  all.stream.write(numbered(1));
  all.stream.end();
  more.stream.write(numbered(2));
  await until('both are at work', () => gateway.inFlight() === 2);
  const closing = server.close();
  more.stream.write(numbered(3));
  for (const number of [1, 2]) waiting.get(number)?.resolve();
  await closing;
  t.match(await all.ended, { answers: { length: 1 }, code: status.OK });
  t.match(await more.ended, { answers: { length: 1 }, code: status.UNAVAILABLE });
});

t.test('a stream is known of for as long as it is open, however it ends', async (t) => {
  const open = new Set<object>();
  const enter = (stop: () => void) => {
    open.add(stop);
    return () => open.delete(stop);
  };
  const { stream } = await aConversationWithStreams(t, enter);
  const ends = {
    OK: { request: anInfer(), end: (calls: Calls) => calls.end() },
    NOT_FOUND: { request: anInfer({ model_name: 'z' }), end: () => {} },
    CANCELLED: { request: anInfer(), end: (calls: Calls) => calls.cancel() },
  };
  for (const [name, { request, end }] of Object.entries(ends)) {
    const { stream: calls, ended } = stream({ triton_grpc_error: 'true' });
    await until('it is known of', () => open.size === 1);
    calls.write(request);
    end(calls);
    t.equal(status[(await ended).code], name);
    await until('it is no longer known of', () => open.size === 0);
  }
});

type Calls = ReturnType<ReturnType<typeof aClient>['stream']>['stream'];

/** The stream by itself, on a server of the library's. */
async function aConversationWithStreams(t: Test, enter: OpenStreams['enter']) {
  const service = aService();
  const { clock, onInternalError } = service;
  const answerInfer = createAnswerInfer(service, LIMITS);
  const budget = new MemoryBudget(BUDGET_BYTES);
  const options = {
    ...{ answerInfer, limits: LIMITS, clock, open: { enter }, onInternalError },
    ...{ budget, shareOf: () => budget.open(), ask: () => ANY_ASKER },
  };
  const server = new Server();
  server.addService(inBytes(methodsOf(DEFINITIONS, INFERENCE)), {
    ModelStreamInfer: createStreamCall(options),
  });
  const port = await new Promise<number>((resolve) => {
    const free = ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', free, (_, bound) => resolve(bound));
  });
  const client = aClient(port);
  t.teardown(() => {
    client.close();
    server.forceShutdown();
  });
  return client;
}
