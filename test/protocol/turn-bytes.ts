/** How much a server in this thread reads in one turn of the event loop while callers in another flood it. */
import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Test } from 'tap';

import type { FloodOrder } from '../floods/floods.ts';
import { until } from '../support/until.ts';

/** What the systems of both ends keep of it by then fills more than one turn. */
const FILL_MS = 300;

/** What is read in whole; far less than is sent. */
const READ_BYTES = 16_000_000;

/** The most bytes that came in one turn, of a flood by so many connections. */
export async function mostBytesInATurn(t: Test, order: FloodOrder): Promise<number> {
  const sockets = new Set<Socket>();
  const onSocket = (message: unknown): void => {
    sockets.add((message as { readonly socket: Socket }).socket);
  };
  diagnostics.subscribe('net.server.socket', onSocket);
  t.teardown(() => diagnostics.unsubscribe('net.server.socket', onSocket));
  const flooder = new Worker(new URL('../floods/floods.js', import.meta.url), {
    workerData: order,
  });
  t.teardown(() => flooder.terminate());
  await until('all have come', () => sockets.size >= order.connections);
  // A busy thread finds all of it together when it looks again.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FILL_MS);
  const readBytes = (): number => [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  let [before, most] = [readBytes(), 0];
  const first = before;
  while (before < first + READ_BYTES) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = readBytes();
    most = Math.max(most, now - before);
    before = now;
  }
  return most;
}
