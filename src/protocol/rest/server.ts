/**
 * The Open Inference Protocol over HTTP/1.1. The wire ends here: what goes further in are InferRequests, what comes back
 * InferResponses and ServeErrors.
 */
import {
  type FastifyContentTypeParser,
  type FastifyInstance,
  type FastifyRequest,
  fastify,
} from 'fastify';
import { createTimeSlicer, type TimeSlicer } from '../../concurrency/time-slicer.ts';
import { ServeError } from '../../core/errors.ts';
import { PATH_NAME_LENGTH_MAX } from '../../core/version.ts';
import { type CallerNames, isLoopbackAddress } from '../../core/web-caller.ts';
import { BACKLOG, Connections } from '../connections.ts';
import type { Intake } from '../intake.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { Service } from '../service.ts';
import { type Done, readBody } from './body.ts';
import { encodingOf, readCompressedBody } from './body-encoding.ts';
import { BodyMemory } from './body-memory.ts';
import { boundConnections } from './bound-connections.ts';
import { boundPipelines } from './bound-pipelines.ts';
import { boundReading } from './bound-reading.ts';
import { CallerDoor, type CallerDoorOptions } from './caller-door.ts';
import { endUnreadChunks } from './chunk-count.ts';
import { createHostDoor } from './control-door.ts';
import {
  createClientErrorHandler,
  createErrorHandler,
  createMethodNotAllowed,
  notFound,
} from './errors.ts';
import type { Feedback } from './feedback-route.ts';
import type { RestLimits } from './limits.ts';
import { openShares, type ShareOf } from './memory-shares.ts';
import type { RestRoute } from './route.ts';
import { createRoutes } from './routes.ts';

export type RestServerOptions = {
  readonly service: Service;
  readonly feedback: Feedback;
  readonly limits: RestLimits;
  /** Host names that clients may call by; empty: any. Django's ALLOWED_HOSTS. */
  readonly allowedHosts: readonly string[];
  /** What all requests may hold together, those of other protocols among them. */
  readonly budget: MemoryBudget;
  /** Whose turn it is to bring a large request, over all protocols. */
  readonly intake: Intake;
  /** The certificate that a caller proved to hold; by default none. */
  readonly certificateOf?: CallerDoorOptions['certificateOf'];
};

export type RestServer = {
  readonly listen: (host: string, port: number) => Promise<{ port: number }>;
  /** Answers what is in flight, then closes all connections, soon or by force. Drain the gateway first. */
  readonly close: () => Promise<void>;
  /** The server itself, for tests that need no socket. */
  readonly app: FastifyInstance;
  /** What a request holds, for routes that are added. */
  readonly shareOf: ShareOf;
  /** What asks callers of routes that are added. */
  readonly door: CallerDoor;
};

/** Longer than load balancers keep an idle connection, so that they close it and never find it closed. nginx's keepalive_timeout. */
const KEEP_ALIVE_MS = 65_000;

/** How much later than its limit a request that has not arrived may be cut off. */
const RECEIVE_CHECK_MS = 1_000;

export function createRestServer(options: RestServerOptions): RestServer {
  const { service, limits, budget } = options;
  const { gateway, onInternalError } = service;
  const { headerBytesMax } = limits;
  const draining = (): boolean => gateway.draining();
  const onError = createErrorHandler({ draining, headerBytesMax, onInternalError });
  const app = fastify({
    logger: false,
    http: {
      maxHeaderSize: headerBytesMax,
      // Node takes the longer of the two for the whole request, whichever it is.
      headersTimeout: limits.receiveMsMax,
      // Node looks every 30 s by itself, and a request that drips in would get that much more.
      connectionsCheckingInterval: Math.min(RECEIVE_CHECK_MS, limits.receiveMsMax),
    },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: limits.receiveMsMax,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: PATH_NAME_LENGTH_MAX },
    // What is refused before there is a route, such as a path that cannot be decoded, is refused as everything else is.
    frameworkErrors: onError,
    clientErrorHandler: createClientErrorHandler({ headerBytesMax }),
  });
  // A caller that sends all and shuts down its sending half still reads: Node would hang up on it.
  Object.assign(app.server, { httpAllowHalfOpen: true });
  boundPipelines(app.server);
  endUnreadChunks(app);
  boundReading(app.server, options.intake);
  boundConnections(app.server, new Connections(limits.connectionsMax, service.clock));
  app.setErrorHandler(onError);
  app.setNotFoundHandler(notFound);
  let names: CallerNames = { allowed: options.allowedHosts, isLoopback: true };
  app.addHook(
    'onRequest',
    createHostDoor(() => names),
  );
  const bodies = { memory: new BodyMemory(), slicer: createTimeSlicer(service.clock) };
  const { onRefused } = service;
  const shareOf = openShares(app, { budget, sendMsMax: limits.sendMsMax });
  takeBodiesAsBytes(app, { ...bodies, shareOf, bytesMax: limits.bodyBytesMax, onRefused });
  const door = new CallerDoor({ ...service, certificateOf: options.certificateOf });
  const { askerOf } = door;
  const routes = createRoutes({ ...options, ...bodies, shareOf, askerOf, names: () => names });
  addRoutes(app, routes, door);
  return {
    listen: async (host, port) => {
      names = { ...names, isLoopback: isLoopbackAddress(host) };
      await app.listen({ host, port, backlog: BACKLOG });
      const address = app.server.address();
      return { port: typeof address === 'object' && address !== null ? address.port : port };
    },
    close: () => closeWithin(app, limits.lingerMsMax),
    app,
    shareOf,
    door,
  };
}

/**
 * Idle connections close immediately, the others after their answer. A client that connects and sends nothing, stops in the middle of a
 * request or does not read the answer would keep the server for ever: once it stops, nothing else closes them.
 */
async function closeWithin(app: FastifyInstance, lingerMsMax: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), lingerMsMax);
  await app.close().finally(() => clearTimeout(cut));
}

/**
 * Clients label the same bytes as JSON, as octets or as a form, so the content type is not asked. The two that most of them
 * use are named all the same: what only `*` takes is looked up again for each request.
 */
function takeBodiesAsBytes(app: FastifyInstance, options: BodyParserOptions): void {
  app.removeAllContentTypeParsers();
  const contentTypes = ['application/json', 'application/octet-stream', '*'];
  for (const each of contentTypes) app.addContentTypeParser(each, createBodyParser(options));
}

type BodyParserOptions = {
  readonly bytesMax: number;
  readonly memory: BodyMemory;
  readonly slicer: TimeSlicer;
  readonly shareOf: ShareOf;
  readonly onRefused: Service['onRefused'];
};

function createBodyParser({
  onRefused,
  shareOf,
  ...bodies
}: BodyParserOptions): FastifyContentTypeParser {
  return (request, payload, fastifyDone) => {
    const contentLength = request.headers['content-length'];
    const done: Done = (error, body) => {
      if (error instanceof ServeError && isInfer(request)) onRefused(modelOf(request), error.code);
      fastifyDone(error, body);
    };
    try {
      const read = { ...bodies, contentLength, share: shareOf(request.raw) };
      const encoding = encodingOf(request.headers['content-encoding']);
      if (encoding === undefined) readBody(payload, read, done);
      else readCompressedBody(payload, { ...read, encoding }, done);
    } catch (thrown) {
      done(ServeError.from(thrown));
    }
  };
}

/** What is refused here never comes to its route, which counts all other refusals. */
function isInfer({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.endsWith('/infer') ?? false;
}

function modelOf({ params }: FastifyRequest): string {
  return (params as { readonly model: string }).model;
}

/** Each path answers the verbs that it has, and refuses all others by name. */
function addRoutes(
  app: FastifyInstance,
  routes: readonly RestRoute[],
  door: Pick<CallerDoor, 'hooksOf'>,
): void {
  for (const { needs, isInference = false, onRequest, ...route } of routes) {
    const asked = door.hooksOf({ needs, isInference });
    app.route({ ...route, onRequest: onRequest === undefined ? asked : [onRequest, ...asked] });
  }
  for (const url of new Set(routes.map((route) => route.url))) {
    const verbs = routes.filter((route) => route.url === url).map(({ method }) => method);
    const allowed = verbs.flatMap((verb) => (verb === 'GET' ? ['GET', 'HEAD'] : [verb]));
    const others = app.supportedMethods.filter((each) => !allowed.includes(each));
    app.route({ method: others, url, handler: createMethodNotAllowed(allowed) });
  }
}
