/** A thread that floods a port by several connections, and opens a new one for each that is cut. Ends by being terminated. */
import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { type Flood, GRPC_FLOODS, HTTP_FLOODS } from '../support/floods.ts';

const { name, port } = workerData as { readonly name: string; readonly port: number };
const CONNECTIONS = 2;
const BLOCK_PARTS = 500;
/** Between two connections: what is shown is what one can do before it is cut, and opening a hundred a second costs time itself. */
const AGAIN_MS = 100;

function begin(flood: Flood): void {
  const { first, next } = flood;
  const socket = connect(port, '127.0.0.1');
  let at = 0;
  const go = (): void => {
    if (socket.destroyed) return;
    const block = Array.from({ length: BLOCK_PARTS }, (_, index) => next(at + index));
    at += BLOCK_PARTS;
    socket.write(Buffer.concat(block), () => setImmediate(go));
  };
  socket.on('error', () => undefined).resume();
  socket.once('connect', () => {
    socket.write(first);
    parentPort?.postMessage('flooding');
    go();
  });
  socket.once('close', () => setTimeout(() => begin(flood), AGAIN_MS));
}

const flood = { ...GRPC_FLOODS, ...HTTP_FLOODS }[name];
if (flood === undefined) throw new Error(`no flood ${name}`);
for (let count = 0; count < CONNECTIONS; count += 1) begin(flood);
