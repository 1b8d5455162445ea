import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminServer } from '../console/admin.ts';
import type { Clock } from '../core/clock.ts';
import type { Exchange, ExchangeEnd, Exchanges } from '../core/exchange.ts';
import { callerIdOf } from '../protocol/caller-id.ts';
import type { RestServer } from '../protocol/rest/server.ts';
import { traceparentOf } from '../protocol/traceparent.ts';

/** A request as the framework of both servers has it. */
type Request = Parameters<AdminServer['askerOf']>[0];

/** The name of a request's caller; undefined: it has none. Throws where nothing was asked, or it was not let in. */
export type CallerOf = (request: Request) => string | undefined;

export type HttpExchangesOptions = {
  readonly plane: 'http' | 'admin';
  readonly exchanges: Exchanges;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly callerOf: CallerOf;
};

type Met = {
  readonly request: Request;
  /** Of the answer. */
  readonly headerOf: (name: string) => unknown;
};

const MET = Symbol('met');

type Wire = IncomingMessage & { [MET]?: Met };

/**
 * Reports each request of a server, from its head to the end of its answer or of its caller: those too that meet no route, or that
 * are refused before it.
 */
export function watchHttpExchanges(
  app: RestServer['app'],
  { plane, exchanges, clock, callerOf }: HttpExchangesOptions,
): void {
  app.addHook('onRequest', (request, reply, done) => {
    // A WeakMap of all requests would cost the garbage collector more than this.
    (request.raw as Wire)[MET] = { request, headerOf: (name) => reply.getHeader(name) };
    done();
  });
  app.server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const end = exchanges.begin(exchangeOf(request, plane, clock.monotonicMs()), request);
    if (end === undefined) return;
    response.once('close', () => {
      const known = (request as Wire)[MET];
      const sent = (name: string): string | undefined => textOf(known?.headerOf(name));
      end({
        ...metBy(known?.request, callerOf),
        status: response.headersSent ? response.statusCode : undefined,
        version: sent('x-understudy-version'),
        bytesOut: bytesOf(sent('content-length')),
      });
    });
  });
}

/** What is known of a request that has met a route. */
function metBy(
  request: Request | undefined,
  callerOf: CallerOf,
): Pick<ExchangeEnd, 'route' | 'model' | 'caller'> {
  if (request === undefined) return { route: undefined, model: undefined, caller: undefined };
  const { model } = (request.params ?? {}) as { readonly model?: string };
  const route = request.routeOptions.url;
  try {
    return { route, model, caller: callerOf(request) };
  } catch {
    return { route, model, caller: undefined };
  }
}

function exchangeOf(
  { method = '', url = '', headers, socket }: IncomingMessage,
  plane: Exchange['plane'],
  startedMs: number,
): Exchange {
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return {
    ...{ plane, method, startedMs },
    // Some callers put secrets into a query.
    path: url.split(/[?#]/, 1)[0] ?? '',
    peer: { address: socket.remoteAddress, port: socket.remotePort },
    userAgent: header('user-agent'),
    callerId: callerIdOf(header),
    traceparent: traceparentOf(header),
    bytesIn: bytesOf(header('content-length')),
  };
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function bytesOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
