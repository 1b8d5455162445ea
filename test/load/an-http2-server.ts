import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

import type { Address } from '../../src/load/nouns/wire.ts';
import { framed } from '../protocol/grpc/a-session.ts';
import { CERTIFICATE } from './a-certificate.ts';

export type OnCall = (call: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** A server with handlers of the test. It ends with the test, and all connections with it. */
export async function anHttp2Server(
  t: Pick<Test, 'teardown'>,
  onCall: OnCall,
  options: ServerOptions & { readonly tls?: boolean } = {},
): Promise<{ address: Address; sessions: ServerHttp2Session[] }> {
  const { tls = false, ...rest } = options;
  const server = tls ? createSecureServer({ ...CERTIFICATE, ...rest }) : createServer(rest);
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (call, headers) => {
    call.on('error', () => {});
    onCall(call, headers);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { address: { host: '127.0.0.1', port, tls }, sessions };
}

/** Answers a call whole: its head, these bytes, and the status. */
export function answerCall(
  call: ServerHttp2Stream,
  bytes: Buffer,
  trailers: OutgoingHttpHeaders = { 'grpc-status': '0' },
): void {
  call.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
  call.once('wantTrailers', () => call.sendTrailers(trailers));
  call.end(bytes);
}

/** Reads a call to its end and gives back what it was sent. */
export const echo: OnCall = (call) => {
  const pieces: Buffer[] = [];
  call.on('data', (piece: Buffer) => pieces.push(piece));
  call.on('end', () => answerCall(call, Buffer.concat(pieces)));
};

/** Answers all calls alike, without a look at them. */
export function always(bytes: Buffer, trailers?: OutgoingHttpHeaders): OnCall {
  return (call) => {
    call.resume();
    answerCall(call, bytes, trailers);
  };
}

export const MESSAGE = Buffer.from('message');
export const FRAMED = framed(MESSAGE);
