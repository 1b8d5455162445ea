import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Test } from 'tap';

/** How a call ended: its status of gRPC, and the code with which its stream was reset. */
export type Ended = {
  readonly code: string | undefined;
  readonly details: string | undefined;
  readonly resetCode: number | undefined;
};

/** A connection with no library of gRPC on it, for what none would send. */
export async function aSession(t: Test, port: number, options: ClientSessionOptions = {}) {
  const session = connect(`http://127.0.0.1:${port}`, options);
  // Whoever is cut off by a server that stops.
  session.on('error', () => {});
  const calls = new Set<ClientHttp2Stream>();
  t.teardown(() => endSession(session, calls));
  const [settings] = await once(session, 'remoteSettings');
  const open = (method: string, headers: IncomingHttpHeaders = {}): ClientHttp2Stream => {
    const call = session.request({ ...headersOf(method), ...headers });
    call.on('error', () => {});
    calls.add(call);
    call.once('close', () => calls.delete(call));
    return call;
  };
  return { session, settings, open };
}

/** One call after the other, then the session: a client of Node 20 that destroys a session with calls on it may never end. */
async function endSession(
  session: ClientHttp2Session,
  calls: ReadonlySet<ClientHttp2Stream>,
): Promise<void> {
  for (const call of calls) {
    const closed = once(call, 'close');
    // What has come and is not read keeps a call open.
    call.resume().close(constants.NGHTTP2_CANCEL);
    await closed;
  }
  session.destroy();
}

function headersOf(method: string) {
  return {
    ':method': 'POST',
    ':path': `/inference.GRPCInferenceService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
}

/** A message as it goes over the wire: whether it is compressed, its length, itself. */
export function framed(message: Uint8Array, { compressed = false } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(compressed ? 1 : 0);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Reads a call to its end. */
export async function ended(call: ClientHttp2Stream): Promise<Ended> {
  let status: IncomingHttpHeaders = {};
  const take = (headers: IncomingHttpHeaders): void => {
    status = headers;
  };
  call.on('response', take).on('trailers', take).resume();
  await once(call, 'close');
  const details = status['grpc-message'];
  return {
    code: textOf(status['grpc-status']),
    details: details === undefined ? undefined : decodeURI(String(details)),
    resetCode: call.rstCode,
  };
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
