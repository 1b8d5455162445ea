import type { ServerHttp2Stream } from 'node:http2';
import fc from 'fast-check';
import protobuf from 'protobufjs/light.js';
import t, { type Test } from 'tap';
import type { Address } from '../../../src/load/nouns/wire.ts';
import { MessageReader } from '../../../src/load/wire/grpc-message.ts';
import { idField, readStreamAnswer } from '../../../src/load/wire/grpc-stream-answer.ts';
import { GrpcStreamSender } from '../../../src/load/wire/grpc-stream-sender.ts';
import { INFERENCE, methodsOf } from '../../../src/protocol/grpc/definitions.ts';
import { framed } from '../../protocol/grpc/a-session.ts';
import {
  aConversation,
  anInfer,
  anInput,
  DEFINITIONS,
  encoded,
  floats,
} from '../../protocol/grpc/builders.ts';
import { until } from '../../support/until.ts';
import { anHttp2Server, answerCall } from '../an-http2-server.ts';

const PATH = '/inference.GRPCInferenceService/ModelStreamInfer';
const TIME = { timeout: 60_000 };

function methodOf(name: string) {
  const method = methodsOf(DEFINITIONS, INFERENCE)[name];
  if (method === undefined) throw new Error(`no method ${name}`);
  return method;
}

const STREAM = methodOf('ModelStreamInfer');
const UNARY = methodOf('ModelInfer');

type Request = { readonly id: string; readonly model_name: string };

function aSender(t: Pick<Test, 'teardown'>, address: Address, connections = 1): GrpcStreamSender {
  const sender = new GrpcStreamSender({ address, path: PATH, headers: {}, connections });
  t.teardown(() => sender.close());
  return sender;
}

/** A server that hands each request to the test, which answers on the stream when it likes. */
function aStreamServer(
  t: Pick<Test, 'teardown'>,
  onRequest: (request: Request, call: ServerHttp2Stream) => void,
) {
  return anHttp2Server(t, (call) => {
    call.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
    const reader = new MessageReader();
    call.on('data', (piece: Buffer) => {
      for (const message of reader.take(piece))
        onRequest(STREAM.requestDeserialize(message) as Request, call);
    });
  });
}

function reply(call: ServerHttp2Stream, answer: object): void {
  call.write(framed(STREAM.responseSerialize(answer)));
}

function endWith(call: ServerHttp2Stream, code: string): void {
  call.once('wantTrailers', () => call.sendTrailers({ 'grpc-status': code }));
  call.end();
}

function aRequest(model: string): Buffer {
  return encoded(anInfer({ model_name: model, id: 'the same for all' }));
}

t.test('the id of a stream answer is found wherever it stands', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const raw = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(text, text, raw, (id, error, tensor) => {
      const parts = [
        UNARY.responseSerialize({ model_name: 'm', raw_output_contents: [tensor] }),
        UNARY.responseSerialize({ id }),
      ];
      return [parts, [...parts].reverse()].every((ordered) => {
        const response = Buffer.concat(ordered);
        const writer = protobuf.Writer.create();
        if (error !== '') writer.uint32(0x0a).string(error);
        const whole = Buffer.from(writer.uint32(0x12).bytes(response).finish());
        const read = readStreamAnswer(whole);
        return (
          read.id === id &&
          read.error === (error === '' ? undefined : error) &&
          read.response.equals(response)
        );
      });
    }),
  );
});

t.test('a server that streams bare answers is understood', async (t) => {
  const bare = UNARY.responseSerialize({ model_name: 'm', model_version: '1', id: '7' });
  t.same(readStreamAnswer(bare), { id: '7', error: undefined, response: bare });
});

t.test('no bytes are read as more than they are', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        const { id, response } = readStreamAnswer(Buffer.from(bytes));
        return id.length <= bytes.length && response.byteLength <= bytes.length;
      } catch (error) {
        return error instanceof Error && error.message === 'malformed answer';
      }
    }),
  );
});

t.test(
  "an id behind a request is the request's, regardless of what was in it before",
  async (t) => {
    for (const before of ['', 'x', 'a longer one than ours']) {
      const request = encoded(anInfer({ id: before }));
      const read = UNARY.requestDeserialize(Buffer.concat([request, idField('1000000001')]));
      t.match(read, { id: '1000000001', model_name: 'm', raw_input_contents: [floats(1.5, -2)] });
    }
  },
);

t.test('our own server answers each request of a stream with its own numbers', TIME, async (t) => {
  const { port } = await aConversation(t);
  const sender = aSender(t, { host: '127.0.0.1', port, tls: false }, 2);
  await sender.open();
  const numbers = Array.from({ length: 60 }, (_, k) => k);
  const answers = await Promise.all(
    numbers.map((k) =>
      sender.send(encoded(anInfer({ inputs: [anInput()], raw_input_contents: [floats(k, 0)] }))),
    ),
  );
  t.same(new Set(answers.map(({ error }) => error)), new Set([undefined]));
  const told = answers.map(({ body }) => {
    const { raw_output_contents: raw } = UNARY.responseDeserialize(body) as {
      raw_output_contents: readonly Buffer[];
    };
    return raw[0]?.readFloatLE();
  });
  t.same(told, numbers);
});

t.test('a request that fails gets its own error, and those around it their answers', async (t) => {
  const { port } = await aConversation(t);
  const sender = aSender(t, { host: '127.0.0.1', port, tls: false });
  const answers = await Promise.all(['m', 'x', 'm'].map((model) => sender.send(aRequest(model))));
  t.same(
    answers.map(({ error }) => error === undefined),
    [true, false, true],
  );
  t.match(answers[1]?.error, /x/);
});

t.test('answers in another order reach their requests', async (t) => {
  const requests: Request[] = [];
  const { address } = await aStreamServer(t, (request, call) => {
    requests.push(request);
    if (requests.length < 3) return;
    for (const { id, model_name } of requests.reverse())
      reply(call, { infer_response: { id, model_name } });
  });
  const sender = aSender(t, address);
  const answers = await Promise.all(['a', 'b', 'c'].map((name) => sender.send(aRequest(name))));
  t.same(
    answers.map(({ body }) => (UNARY.responseDeserialize(body) as Request).model_name),
    ['a', 'b', 'c'],
  );
});

t.test("an error without an id is the oldest request's, without its numbers", async (t) => {
  let count = 0;
  const { address } = await aStreamServer(t, ({ id }, call) => {
    count += 1;
    if (count < 2) return;
    reply(call, { error_message: 'queue of 12.5 ms is full' });
    reply(call, { infer_response: { id } });
  });
  const sender = aSender(t, address);
  const [first, second] = await Promise.all(
    [aRequest('a'), aRequest('b')].map((r) => sender.send(r)),
  );
  t.equal(first?.error, 'queue of N ms is full');
  t.equal(second?.error, undefined);
});

t.test('further answers to a request go to no other request', async (t) => {
  const { address } = await aStreamServer(t, ({ id, model_name }, call) => {
    for (let k = 0; k < 3; k += 1) reply(call, { infer_response: { id, model_name } });
  });
  const sender = aSender(t, address);
  for (const name of ['a', 'b', 'c']) {
    const { body } = await sender.send(aRequest(name));
    t.match(UNARY.responseDeserialize(body), { model_name: name });
  }
});

t.test(
  'a stream that ends with a status gives it to all in flight; the next begins another',
  async (t) => {
    let count = 0;
    const { address, sessions } = await aStreamServer(t, ({ id }, call) => {
      count += 1;
      if (count === 2) endWith(call, '14');
      if (count > 2) reply(call, { infer_response: { id } });
    });
    const sender = aSender(t, address);
    const answers = await Promise.all([sender.send(aRequest('a')), sender.send(aRequest('b'))]);
    t.same(
      answers.map(({ error }) => error),
      ['UNAVAILABLE', 'UNAVAILABLE'],
    );
    t.equal((await sender.send(aRequest('c'))).error, undefined);
    t.equal(sessions.length, 1, 'on the same connection');
  },
);

t.test('a stream that breaks loses what is in flight; the next begins another', async (t) => {
  const ways: Readonly<Record<string, (call: ServerHttp2Stream) => void>> = {
    'the server closed the connection': (call) => call.session?.destroy(),
    'the server ended the stream': (call) => endWith(call, '0'),
  };
  for (const [words, breakIt] of Object.entries(ways)) {
    let count = 0;
    const { address } = await aStreamServer(t, ({ id }, call) => {
      count += 1;
      if (count === 2) breakIt(call);
      if (count > 2) reply(call, { infer_response: { id } });
    });
    const sender = aSender(t, address);
    const broken = [sender.send(aRequest('a')), sender.send(aRequest('b'))];
    for (const each of broken) await t.rejects(each, { message: words });
    t.equal((await sender.send(aRequest('c'))).error, undefined);
  }
});

t.test('a stream that the server resets or does not know is an error of its name', async (t) => {
  const reset = await anHttp2Server(t, (call) => call.close(8));
  t.equal((await aSender(t, reset.address).send(aRequest('a'))).error, 'reset: CANCEL');
  const unknown = await anHttp2Server(t, (call) =>
    call.respond({ 'grpc-status': '12' }, { endStream: true }),
  );
  t.equal((await aSender(t, unknown.address).send(aRequest('a'))).error, 'UNIMPLEMENTED');
});

t.test('an answer that cannot be read ends the stream, and is not waited for', async (t) => {
  const { address } = await anHttp2Server(t, (call) => answerCall(call, framed(Buffer.from([9]))));
  t.equal((await aSender(t, address).send(aRequest('a'))).error, 'malformed answer');
});

t.test('a slow window holds requests back and loses none', TIME, async (t) => {
  let seen = 0;
  const { address } = await anHttp2Server(
    t,
    (call) => {
      call.respond({ 'content-type': 'application/grpc' });
      const reader = new MessageReader();
      call.on('data', (piece: Buffer) => {
        for (const message of reader.take(piece)) {
          seen += 1;
          const { id } = STREAM.requestDeserialize(message) as Request;
          reply(call, { infer_response: { id } });
        }
      });
    },
    { settings: { initialWindowSize: 10_000 } },
  );
  const sender = aSender(t, address);
  const large = encoded(anInfer({ raw_input_contents: [Buffer.alloc(300_000)] }));
  const answers = await Promise.all(Array.from({ length: 12 }, () => sender.send(large)));
  t.same(new Set(answers.map(({ error }) => error)), new Set([undefined]));
  t.equal(seen, 12);
});

t.test('an answer that is given up is not taken for another, with an id or without', async (t) => {
  for (const hasId of [true, false]) {
    const seen: (() => void)[] = [];
    const { address } = await aStreamServer(t, ({ id, model_name }, call) => {
      const answer = hasId ? { id, model_name } : { model_name };
      seen.push(() => reply(call, { infer_response: answer }));
    });
    const sender = aSender(t, address);
    const [first, second] = [sender.send(aRequest('a')), sender.send(aRequest('b'))];
    await until('both are in flight', () => seen.length === 2);
    sender.abandon(first);
    await t.rejects(first, /given up/);
    for (const answer of seen) answer();
    t.match(UNARY.responseDeserialize((await second).body), { model_name: 'b' });
  }
});

t.test('what is in flight when a sender is closed is lost', async (t) => {
  let seen = 0;
  const { address } = await aStreamServer(t, () => {
    seen += 1;
  });
  const sender = aSender(t, address);
  const lost = t.rejects(sender.send(aRequest('a')), /closed by us/);
  await until('it is in flight', () => seen === 1);
  sender.close();
  await lost;
  await t.rejects(sender.send(aRequest('a')), /closed by us/);
});
