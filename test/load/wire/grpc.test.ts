import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';

import { deferred } from '../../../src/concurrency/deferred.ts';
import type { Answer } from '../../../src/load/nouns/sender.ts';
import type { Address } from '../../../src/load/nouns/wire.ts';
import { MessageReader } from '../../../src/load/wire/grpc-message.ts';
import { GrpcSender, type GrpcSenderOptions } from '../../../src/load/wire/grpc-sender.ts';
import { GrpcStreamSender } from '../../../src/load/wire/grpc-stream-sender.ts';
import { HttpSender } from '../../../src/load/wire/http-sender.ts';
import { senderFor } from '../../../src/load/wire/open-sender.ts';
import { framed } from '../../protocol/grpc/a-session.ts';
import { aConversation, anInfer, encoded, floats } from '../../protocol/grpc/builders.ts';
import { until } from '../../support/until.ts';
import { always, anHttp2Server, answerCall, echo, FRAMED, MESSAGE } from '../an-http2-server.ts';

const PATH = '/inference.GRPCInferenceService/ModelInfer';
const TIME = { timeout: 60_000 };

function aSender(
  t: Pick<Test, 'teardown'>,
  address: Address,
  options: Partial<GrpcSenderOptions> = {},
): GrpcSender {
  const sender = new GrpcSender({ address, path: PATH, headers: {}, connections: 1, ...options });
  t.teardown(() => sender.close());
  return sender;
}

/** The error of each answer, or its rejection; 'OK' where there is none. */
async function endsOf(answers: readonly Promise<Answer>[]): Promise<readonly string[]> {
  const settled = await Promise.allSettled(answers);
  return settled.map((each) =>
    each.status === 'rejected' ? `lost: ${each.reason.message}` : (each.value.error ?? 'OK'),
  );
}

t.test('messages are read from pieces of any size', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
      fc.array(fc.nat({ max: 300 }), { maxLength: 12 }),
      (messages, cuts) => {
        const all = Buffer.concat(messages.map((message) => framed(message)));
        const places = [...new Set(cuts.filter((cut) => cut < all.byteLength))].sort(
          (a, b) => a - b,
        );
        const reader = new MessageReader();
        const read: Buffer[] = [];
        for (const [index, from] of [0, ...places].entries())
          read.push(...reader.take(all.subarray(from, places[index])));
        return (
          reader.isBetweenMessages &&
          read.length === messages.length &&
          read.every((message, index) => message.equals(messages[index] ?? new Uint8Array()))
        );
      },
    ),
  );
});

t.test('a message that says it is too long is refused before it comes', async (t) => {
  const prefix = (bytes: number): Buffer => {
    const made = Buffer.alloc(5);
    made.writeUInt32BE(bytes, 1);
    return made;
  };
  t.throws(() => new MessageReader().take(prefix(64 * 2 ** 20 + 1)), /too long/);
  t.same(new MessageReader().take(prefix(64 * 2 ** 20)), []);
});

t.test('a compressed message is refused, not misread', async (t) => {
  t.throws(() => new MessageReader().take(framed(MESSAGE, { compressed: true })), /compressed/);
});

t.test(
  'our own server answers with the message, and refuses with the name of a status',
  async (t) => {
    const { port } = await aConversation(t);
    const sender = aSender(t, { host: '127.0.0.1', port, tls: false });
    await sender.open();
    const [answered, unknown] = await Promise.all([
      sender.send(encoded(anInfer())),
      sender.send(encoded(anInfer({ model_name: 'x' }))),
    ]);
    t.equal(answered.error, undefined);
    t.ok(answered.body.includes(floats(1.5, -2)), 'the tensor is in the message');
    t.match(unknown, { error: 'NOT_FOUND', head: '', body: Buffer.alloc(0) });
  },
);

t.test('each kind of wire has its sender', async (t) => {
  const address: Address = { host: '127.0.0.1', port: 1, tls: false };
  const grpc = { address, path: PATH, headers: {}, connections: 1 };
  const kinds = [
    senderFor({ kind: 'http', address }),
    senderFor({ kind: 'grpc', ...grpc }),
    senderFor({ kind: 'grpc-stream', ...grpc }),
  ];
  for (const [index, kind] of [HttpSender, GrpcSender, GrpcStreamSender].entries())
    t.ok(kinds[index] instanceof kind, kind.name);
});

t.test('what is sent is the call as gRPC has it', async (t) => {
  const seen = deferred<unknown>();
  const { address } = await anHttp2Server(t, (call, headers) => {
    seen.resolve(headers);
    echo(call, headers);
  });
  const sender = aSender(t, address, { headers: { Authorization: 'Bearer me', TE: 'no' } });
  const { body } = await sender.send(MESSAGE);
  t.same(body, MESSAGE, 'the message comes back without its prefix');
  t.match(await seen.promise, {
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: 'Bearer me',
  });
});

t.test('a call ends with the status that it has, wherever that stands', async (t) => {
  const only = (headers: Record<string, string | number>) => (call: ServerHttp2Stream) =>
    call.resume().respond(headers, { endStream: true });
  const cases = {
    UNAVAILABLE: only({ 'grpc-status': '14', 'grpc-message': 'full' }),
    DEADLINE_EXCEEDED: always(Buffer.alloc(0), { 'grpc-status': '4' }),
    INTERNAL: always(FRAMED, { 'grpc-status': '13' }),
    'status 99': only({ 'grpc-status': '99' }),
    'HTTP 404': only({ ':status': 404 }),
    'no status': only({ ':status': 200 }),
    'no message': always(Buffer.alloc(0)),
    'half a message': always(FRAMED.subarray(0, -1)),
    'more than one message': always(Buffer.concat([FRAMED, FRAMED])),
    'compressed answer': always(framed(MESSAGE, { compressed: true })),
    'reset: REFUSED_STREAM': (call: ServerHttp2Stream) => call.close(7),
    'reset: CANCEL': (call: ServerHttp2Stream) => call.close(8),
  };
  for (const [error, onCall] of Object.entries(cases)) {
    const { address } = await anHttp2Server(t, onCall);
    t.match(await aSender(t, address).send(MESSAGE), {
      error,
      head: '',
      body: Buffer.alloc(0),
    });
  }
});

t.test("the server's words are read as they were meant", async (t) => {
  for (const [sent, read] of [
    ['caf%C3%A9', 'café'],
    ['100% full', '100% full'],
  ]) {
    const trailers = { 'grpc-status': '8', 'grpc-message': sent };
    const { address } = await anHttp2Server(t, always(Buffer.alloc(0), trailers));
    const answer = await aSender(t, address).send(MESSAGE);
    t.match(answer, { error: 'RESOURCE_EXHAUSTED', details: read });
  }
});

t.test('calls beyond the limit of streams wait, and none fails', TIME, async (t) => {
  let open = 0;
  let most = 0;
  const { address } = await anHttp2Server(
    t,
    (call, headers) => {
      open += 1;
      most = Math.max(most, open);
      call.once('close', () => {
        open -= 1;
      });
      echo(call, headers);
    },
    { settings: { maxConcurrentStreams: 4 } },
  );
  const sender = aSender(t, address);
  await sender.open();
  const ends = await endsOf(Array.from({ length: 300 }, () => sender.send(MESSAGE)));
  t.same(new Set(ends), new Set(['OK']));
  t.ok(most <= 5, `${most} at once`);
});

t.test('requests far larger than the window of a slow server all arrive', TIME, async (t) => {
  const { address } = await anHttp2Server(t, echo, { settings: { initialWindowSize: 20_000 } });
  const sender = aSender(t, address);
  const requests = Array.from({ length: 24 }, (_, k) => Buffer.alloc(700_000, k));
  const answers = await Promise.all(requests.map((request) => sender.send(request)));
  t.ok(answers.every(({ body }, k) => body.equals(requests[k] ?? MESSAGE)));
});

t.test('a server never waits for the sender to make room', TIME, async (t) => {
  const { address, sessions } = await anHttp2Server(t, echo);
  const sender = aSender(t, address);
  await sender.send(MESSAGE);
  const [session] = sessions;
  await until('the windows are known', () => (session?.state.remoteWindowSize ?? 0) > 60_000_000);
  t.equal(session?.remoteSettings.initialWindowSize, 8 * 1024 * 1024);
});

t.test('calls go over all connections in turn', async (t) => {
  const calls = new Map<unknown, number>();
  const { address, sessions } = await anHttp2Server(t, (call, headers) => {
    calls.set(call.session, (calls.get(call.session) ?? 0) + 1);
    echo(call, headers);
  });
  const sender = aSender(t, address, { connections: 3 });
  await sender.open();
  t.equal(sessions.length, 3, 'opened ahead');
  await Promise.all(Array.from({ length: 12 }, () => sender.send(MESSAGE)));
  t.same([...calls.values()], [4, 4, 4]);
});

t.test('a server that says goodbye in the middle of a load costs no call', TIME, async (t) => {
  let calls = 0;
  const { address, sessions } = await anHttp2Server(t, (call, headers) => {
    calls += 1;
    // It still takes what was under way, as servers that mean it well do.
    if (calls % 20 === 0) call.session?.goaway(0, 2 ** 31 - 1);
    echo(call, headers);
  });
  const sender = aSender(t, address);
  const client = async () => {
    const ends: string[] = [];
    for (let k = 0; k < 20; k += 1) ends.push(...(await endsOf([sender.send(MESSAGE)])));
    return ends;
  };
  const ends = (await Promise.all(Array.from({ length: 8 }, client))).flat();
  t.same(new Set(ends), new Set(['OK']));
  t.ok(sessions.length > 3, `${sessions.length} connections`);
});

t.test('a lost connection loses what is in flight, and the next call opens another', async (t) => {
  const held: ServerHttp2Stream[] = [];
  let isHolding = true;
  const { address, sessions } = await anHttp2Server(t, (call, headers) => {
    if (isHolding) held.push(call);
    else echo(call, headers);
  });
  const sender = aSender(t, address);
  const ends = endsOf([sender.send(MESSAGE), sender.send(MESSAGE)]);
  await until('both are in flight', () => held.length === 2);
  sessions[0]?.destroy();
  for (const end of await ends) t.match(end, /^lost: the server closed the connection$/);
  t.equal(sessions.length, 1, 'nothing is opened before it is needed');
  isHolding = false;
  t.equal((await sender.send(MESSAGE)).error, undefined);
  t.equal(sessions.length, 2);
});

t.test('where nothing listens, opening and sending both say so', async (t) => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as { port: number };
  await new Promise((closed) => gone.close(closed));
  const sender = aSender(t, { host: '127.0.0.1', port, tls: false });
  await t.rejects(sender.open(), /ECONNREFUSED/);
  await t.rejects(sender.send(MESSAGE), /ECONNREFUSED/);
});

t.test('a server that speaks no HTTP/2 is reported on opening', async (t) => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  await t.rejects(aSender(t, { host: '127.0.0.1', port, tls: false }).open());
});

t.test(
  'what is in flight when a sender is closed is lost, and so is what comes after',
  async (t) => {
    const { address } = await anHttp2Server(t, () => {});
    const sender = aSender(t, address);
    await sender.open();
    const ends = endsOf([sender.send(MESSAGE), sender.send(MESSAGE)]);
    sender.close();
    for (const end of await ends) t.match(end, /^lost: closed by us$/);
    await t.rejects(sender.send(MESSAGE), /closed by us/);
  },
);

t.test('an answer that is given up is cancelled at the server, and no other', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const { address } = await anHttp2Server(t, (call) => void held.push(call.resume()));
  const sender = aSender(t, address);
  const [first, second] = [sender.send(MESSAGE), sender.send(MESSAGE)];
  await until('both are in flight', () => held.length === 2);
  const ended = once(held[0] as ServerHttp2Stream, 'close');
  sender.abandon(first);
  await t.rejects(first, /given up/);
  await ended;
  t.equal(held[0]?.rstCode, 8, 'CANCEL');
  answerCall(held[1] as ServerHttp2Stream, FRAMED);
  t.same((await second).body, MESSAGE);
});

t.test('TLS is spoken with a server that asks for it', async (t) => {
  const { address } = await anHttp2Server(t, echo, { tls: true });
  await t.rejects(aSender(t, address).open(), /self-signed/, 'no trusted authority signed it');
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  });
  const sender = aSender(t, address);
  await sender.open();
  t.same((await sender.send(MESSAGE)).body, MESSAGE);
});

t.test('an answer is there before a server has taken all of the request', async (t) => {
  const { address } = await anHttp2Server(t, (call) => answerCall(call, FRAMED), {
    settings: { initialWindowSize: 1_000 },
  });
  t.same((await aSender(t, address).send(Buffer.alloc(100_000))).body, MESSAGE);
});
