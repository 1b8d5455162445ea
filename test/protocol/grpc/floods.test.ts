import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';

import { aSession, framed } from './a-session.ts';
import { aConversation, anInfer, encoded } from './builders.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const DATA = 0;
const HEADERS = 1;
const RESET = 3;
const SETTINGS = 4;
const PING = 6;
const CONTINUATION = 9;
const END_HEADERS = 4;

/** Its type, its flags and its stream, and what it holds. */
type Head = readonly [type: number, flags: number, stream: number];

function frame([type, flags, stream]: Head, payload?: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload?.length ?? 0, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return payload === undefined ? head : Buffer.concat([head, payload]);
}

/** A header in HPACK's plainest form. */
function header(name: string, value: string): Buffer {
  const [key, text] = [Buffer.from(name), Buffer.from(value)];
  return Buffer.concat([Buffer.from([0, key.length]), key, Buffer.from([text.length]), text]);
}

const CALL = Buffer.concat([
  // `:method: POST` and `:scheme: http`, by their places in the table.
  Buffer.from([0x83, 0x86]),
  header(':path', '/inference.GRPCInferenceService/ModelInfer'),
  header(':authority', 'localhost'),
  header('content-type', 'application/grpc'),
  header('te', 'trailers'),
]);

/** The first frames, and those that follow without an end; `at` counts from 0. */
type Flood = { readonly first?: Buffer; readonly next: (at: number) => Buffer };

const opened = frame([HEADERS, END_HEADERS, 1], CALL);

const FLOODS: Readonly<Record<string, Flood>> = {
  pings: { next: () => frame([PING, 0, 0], Buffer.alloc(8)) },
  settings: { next: () => frame([SETTINGS, 0, 0], Buffer.from([0, 4, 0, 1, 0, 0])) },
  'rapid resets': {
    next: (at) => {
      const stream = 2 * at + 1;
      const reset = frame([RESET, 0, stream], Buffer.from([0, 0, 0, 8]));
      return Buffer.concat([frame([HEADERS, END_HEADERS, stream], CALL), reset]);
    },
  },
  continuations: {
    first: frame([HEADERS, 0, 1], CALL),
    next: () => frame([CONTINUATION, 0, 1], header('a', 'b')),
  },
  'empty continuations': {
    first: frame([HEADERS, 0, 1], CALL),
    next: () => frame([CONTINUATION, 0, 1]),
  },
  'empty data': { first: opened, next: () => frame([DATA, 0, 1]) },
  'a message in crumbs': {
    first: Buffer.concat([opened, frame([DATA, 0, 1], Buffer.from([0, 0, 15, 0, 0]))]),
    next: () => frame([DATA, 0, 1], Buffer.alloc(1)),
  },
};

/** Sends without end, as fast as it is taken, until the server hangs up. Resolves with the bytes that that took. */
function send(t: Test, port: number, { first = Buffer.alloc(0), next }: Flood): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame([SETTINGS, 0, 0]), first]));
  return new Promise((resolve) => {
    let [bytes, at] = [0, 0];
    const go = (): void => {
      if (socket.destroyed) return;
      const block = Buffer.concat(Array.from({ length: 500 }, (_, index) => next(at + index)));
      [bytes, at] = [bytes + block.length, at + 500];
      // One turn of the loop each, which the server in this process needs as well.
      socket.write(block, () => setImmediate(go));
    };
    // What is not read stands in the way of an orderly end: the server says goodbye first.
    socket.on('data', (piece) => {
      if (isGoodbye(piece)) socket.destroy();
    });
    socket.once('close', () => resolve(bytes));
    go();
  });
}

/** Whether a GOAWAY begins somewhere in these bytes. */
function isGoodbye(piece: Buffer): boolean {
  for (let at = 0; at + 9 <= piece.length; at += 9 + piece.readUIntBE(at, 3))
    if (piece[at + 3] === 7) return true;
  return false;
}

for (const [name, flood] of Object.entries(FLOODS)) {
  t.test(`a connection that floods with ${name} is ended, and no other`, async (t) => {
    const { port, call } = await aConversation(t);
    let isOver = false;
    const flooding = send(t, port, flood).finally(() => {
      isOver = true;
    });
    let asked = 0;
    while (!isOver || asked < 5) {
      const { error } = await call('ModelInfer', anInfer());
      t.notOk(error, 'others are served');
      asked += 1;
    }
    const bytes = await flooding;
    t.ok(bytes < 4_000_000, `cut after ${bytes} bytes`);
  });
}

t.test('messages of many frames, and many messages of few bytes, are taken', async (t) => {
  const { port } = await aConversation(t);
  const { open } = await aSession(t, port);
  const call = open('ModelStreamInfer');
  let answered = 0;
  call.on('data', (piece: Buffer) => {
    answered += piece.length;
  });
  const message = framed(encoded(anInfer()));
  const sent = 3_000;
  for (let at = 0; at < sent; at += 1) {
    call.write(message.subarray(0, 7));
    call.write(message.subarray(7));
  }
  call.end();
  await new Promise((resolve) => call.once('close', resolve));
  t.equal(call.rstCode, 0);
  t.ok(answered > sent * message.length, 'all were answered');
});

t.test('metadata beyond its limit is refused', async (t) => {
  const { call } = await aConversation(t);
  const { error } = await call('ModelInfer', anInfer(), {
    metadata: { large: 'x'.repeat(20_000) },
  });
  t.not(error?.code, undefined);
  t.not(error?.code, status.OK);
  const fits = await call('ModelInfer', anInfer(), { metadata: { large: 'x'.repeat(6_000) } });
  t.equal(fits.error, undefined);
});
