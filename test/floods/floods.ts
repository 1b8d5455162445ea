/** Ways in which callers can flood a gateway. Run in a thread of its own, so that the parallel load is measured fairly. */
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';

export type Target = { readonly httpPort: number; readonly grpcPort: number };

export type FloodOrder = { readonly name: string; readonly connections: number } & Target;

const MB = 1_000_000;
const BODY_BYTES = 60 * MB;
const PIECE = Buffer.alloc(MB, ' ');
/** As a refusal asks. */
const AGAIN_MS = 1_000;

type Flood = (order: FloodOrder) => void;

/** By name. Each runs until its thread is ended. */
const FLOODS: Readonly<Record<string, Flood>> = {
  'unfinished bodies': ({ httpPort, connections }) =>
    times(connections, () => unfinishedBody(httpPort)),
  'gzip bombs': ({ httpPort, connections }) => {
    const bomb = gzipSync(Buffer.alloc(BODY_BYTES));
    times(connections, () => bombed(httpPort, bomb));
  },
  'idle connections': ({ httpPort, connections }) => times(connections, () => opened(httpPort)),
  'answers that are not read': ({ httpPort, connections }) =>
    times(connections, () => unreadAnswer(httpPort)),
  'unfinished gRPC messages': ({ grpcPort, connections }) =>
    times(connections, () => unfinishedCalls(grpcPort)),
  'idle gRPC connections': ({ grpcPort, connections }) =>
    times(connections, () => session(grpcPort)),
  'large requests to a shadow that hangs': ({ httpPort, connections }) =>
    times(connections, () => void largeRequests(httpPort)),
};

function times(count: number, act: () => void): void {
  for (let done = 0; done < count; done += 1) act();
}

function opened(port: number): Socket {
  return connect(port, '127.0.0.1').on('error', () => undefined);
}

function session(port: number): ClientHttp2Session {
  return connectHttp2(`http://127.0.0.1:${port}`).on('error', () => undefined);
}

function head(model: string, headers: string): string {
  return `POST /v2/models/${model}/infer HTTP/1.1\r\nhost: a\r\n${headers}\r\n\r\n`;
}

/** Sends all but the last byte of a body, and reconnects when it is cut off. */
function unfinishedBody(port: number): void {
  const socket = opened(port).resume();
  socket.write(head('fashion', `content-length: ${BODY_BYTES}`));
  let left = BODY_BYTES / MB - 1;
  const send = (): void => {
    for (; left > 0; left -= 1) if (!socket.write(PIECE)) return void socket.once('drain', send);
  };
  send();
  socket.once('close', () => setTimeout(() => unfinishedBody(port), AGAIN_MS));
}

function bombed(port: number, bomb: Buffer): void {
  const socket = opened(port).resume();
  const headers = `content-encoding: gzip\r\nconnection: close\r\ncontent-length: ${bomb.length}`;
  socket.write(head('fashion', headers));
  socket.write(bomb);
  socket.once('close', () => setTimeout(() => bombed(port, bomb), AGAIN_MS));
}

/** Asks for 32 MiB and reads nothing. */
function unreadAnswer(port: number): void {
  const socket = opened(port).pause();
  const body = JSON.stringify({
    inputs: [{ name: 'sizes', shape: [2], datatype: 'INT64', data: [32, 262_144] }],
    parameters: { binary_data_output: true },
  });
  socket.write(head('large', `content-length: ${body.length}`) + body);
  socket.once('close', () => setTimeout(() => unreadAnswer(port), AGAIN_MS));
}

const CALLS = 32;
const CALL_BYTES = 3 * MB;

/** Calls of one connection that each send a part of a message twice as long, unary ones and streams. */
function unfinishedCalls(port: number): void {
  const client = session(port);
  for (let call = 0; call < CALLS; call += 1) {
    const method = call % 2 === 0 ? 'ModelInfer' : 'ModelStreamInfer';
    const stream = client.request({
      ':method': 'POST',
      ':path': `/inference.GRPCInferenceService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(2 * CALL_BYTES, 1);
    stream.on('error', () => undefined).resume();
    stream.write(prefix);
    stream.write(Buffer.alloc(CALL_BYTES));
  }
  client.once('close', () => setTimeout(() => unfinishedCalls(port), AGAIN_MS));
}

const LARGE = Buffer.alloc(4 * MB);

/** One after the other, each answered. */
async function largeRequests(port: number): Promise<void> {
  const json = JSON.stringify({
    inputs: [
      {
        name: 'x',
        shape: [LARGE.length / 8, 2],
        datatype: 'FP32',
        parameters: { binary_data_size: LARGE.length },
      },
    ],
    parameters: { binary_data_output: true },
  });
  const headers = { 'inference-header-content-length': String(json.length) };
  const body = Buffer.concat([Buffer.from(json), LARGE]);
  for (;;) {
    const url = `http://127.0.0.1:${port}/v2/models/echo/infer`;
    const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
  }
}

if (parentPort !== null) {
  const order = workerData as FloodOrder;
  FLOODS[order.name]?.(order);
}
