import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';

import { type Flood, GRPC_FLOODS } from '../../support/floods.ts';
import { mostBytesInATurn } from '../turn-bytes.ts';
import { aSession, framed } from './a-session.ts';
import { aConversation, anInfer, encoded } from './builders.ts';

/** Sends without end, as fast as it is taken, until the server hangs up. Resolves with the bytes that that took. */
function send(t: Test, port: number, { first, next }: Flood): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(first);
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

for (const [name, flood] of Object.entries(GRPC_FLOODS)) {
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

t.test(
  'callers that send large messages together leave room in each turn for others',
  async (t) => {
    const { port } = await aConversation(t, { limits: { messageBytesMax: 100_000_000 } });
    const order = {
      name: 'unfinished gRPC messages',
      connections: 12,
      httpPort: 0,
      grpcPort: port,
    };
    const most = await mostBytesInATurn(t, order);
    // What a turn takes, and one read more of each that is not held yet.
    t.ok(most <= 262_144 + 2 * 12 * 65_536, `${most} bytes in one turn`);
  },
);
