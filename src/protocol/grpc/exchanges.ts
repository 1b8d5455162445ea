import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.ts';
import type { Exchanges } from '../../core/exchange.ts';
import { callerIdOf } from '../caller-id.ts';
import { traceparentOf } from '../traceparent.ts';
import { callInternals } from './library-internals.ts';

/** Reports each call, from its headers to the end of its stream: those too that an interceptor or the library refuses. */
export class GrpcExchanges {
  readonly #exchanges: Exchanges;
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor(exchanges: Exchanges, clock: Pick<Clock, 'monotonicMs'>) {
    this.#exchanges = exchanges;
    this.#clock = clock;
  }

  watch(session: ServerHttp2Session, { remoteAddress, remotePort }: Socket): void {
    const peer = { address: remoteAddress, port: remotePort };
    session.prependListener('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const header = (name: string): string | undefined => textOf(headers[name]);
      const exchange = {
        ...({ plane: 'grpc', method: 'POST', path: header(':path') ?? '', peer } as const),
        userAgent: header('user-agent'),
        callerId: callerIdOf(header),
        traceparent: traceparentOf(header),
        bytesIn: undefined,
        startedMs: this.#clock.monotonicMs(),
      };
      const end = this.#exchanges.begin(exchange, stream);
      if (end !== undefined) stream.once('close', () => end(endOf(stream)));
    });
  }

  /** Stands behind the interceptor that is given the library's own call, and leaves that as it is. */
  readonly interceptor: ServerInterceptor = (_, call) => {
    if (!(call instanceof ServerInterceptingCall)) {
      const { stream, metadata } = callInternals(call);
      this.#exchanges.joined(stream, metadata);
    }
    return call as ServerInterceptingCall;
  };
}

function endOf(stream: ServerHttp2Stream) {
  const { sentHeaders, sentTrailers } = stream;
  const status = sentTrailers?.['grpc-status'] ?? sentHeaders?.['grpc-status'];
  return {
    status: status === undefined ? undefined : Number(status),
    version: textOf(sentHeaders?.['x-understudy-version']),
    ...{ route: undefined, model: undefined, caller: undefined, bytesOut: undefined },
  };
}

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(', ');
  return value === undefined ? undefined : String(value);
}
