/**
 * The Open Inference Protocol over HTTP/1.1. The wire ends here: what goes further in are InferRequests, what comes back
 * InferResponses and ServeErrors.
 */
import {
  type FastifyContentTypeParser,
  type FastifyInstance,
  fastify,
  type RouteHandlerMethod,
} from 'fastify';

import { ServeError } from '../../core/errors.ts';
import type { Service } from '../service.ts';
import { readBody } from './body.ts';
import {
  createClientErrorHandler,
  createErrorHandler,
  createMethodNotAllowed,
  notFound,
} from './errors.ts';
import { createFeedbackRoute, type Feedback } from './feedback-route.ts';
import { createInferRoute } from './infer-route.ts';
import type { RestLimits } from './limits.ts';
import { createAboutRoutes } from './model-routes.ts';
import { createTurns } from './turns.ts';

export type RestServerOptions = {
  readonly service: Service;
  readonly feedback: Feedback;
  readonly limits: RestLimits;
};

export type RestServer = {
  readonly listen: (host: string, port: number) => Promise<{ port: number }>;
  /** Answers what is in flight, then closes all connections, soon or by force. Drain the gateway first. */
  readonly close: () => Promise<void>;
  /** The server itself, for tests that need no socket. */
  readonly app: FastifyInstance;
};

/** Longer than load balancers keep an idle connection, so that they close it and never find it closed. */
const KEEP_ALIVE_MS = 65_000;

const MODEL_NAME_LENGTH_MAX = 512;

export function createRestServer(options: RestServerOptions): RestServer {
  const { service, limits } = options;
  const { gateway, onInternalError } = service;
  const { headerBytesMax } = limits;
  const draining = (): boolean => gateway.draining();
  const onError = createErrorHandler({ draining, headerBytesMax, onInternalError });
  const app = fastify({
    logger: false,
    http: { maxHeaderSize: headerBytesMax, headersTimeout: KEEP_ALIVE_MS + 1_000 },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: limits.receiveMsMax,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MODEL_NAME_LENGTH_MAX },
    // What is refused before there is a route, such as a path that cannot be decoded, is refused as everything else is.
    frameworkErrors: onError,
    clientErrorHandler: createClientErrorHandler({ headerBytesMax }),
  });
  app.setErrorHandler(onError);
  app.setNotFoundHandler(notFound);
  takeBodiesAsBytes(app, limits.bodyBytesMax);
  addRoutes(app, options);
  return {
    listen: async (host, port) => {
      await app.listen({ host, port });
      const address = app.server.address();
      return { port: typeof address === 'object' && address !== null ? address.port : port };
    },
    close: () => closeWithin(app, limits.lingerMsMax),
    app,
  };
}

/**
 * Idle connections close at once, the others after their answer. Whoever connects and says nothing, stops in the middle of a
 * request or does not read the answer would keep the server for ever: once it stops, nobody else puts an end to them.
 */
async function closeWithin(app: FastifyInstance, lingerMsMax: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), lingerMsMax);
  await app.close().finally(() => clearTimeout(cut));
}

/**
 * Clients label the same bytes as JSON, as octets or as a form, so the content type is not asked. The two that most of them
 * use are named all the same: what only `*` takes is looked up anew for each request.
 */
function takeBodiesAsBytes(app: FastifyInstance, bytesMax: number): void {
  app.removeAllContentTypeParsers();
  const contentTypes = ['application/json', 'application/octet-stream', '*'];
  for (const each of contentTypes) app.addContentTypeParser(each, createBodyParser(bytesMax));
}

function createBodyParser(bytesMax: number): FastifyContentTypeParser {
  return (request, payload, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      done(
        new ServeError(
          'unsupported',
          `content-encoding is not served: expected identity, found '${encoding}'`,
        ),
      );
      return;
    }
    readBody(payload, { contentLength: request.headers['content-length'], bytesMax }, done);
  };
}

function addRoutes(app: FastifyInstance, options: RestServerOptions): void {
  const { service, limits } = options;
  const about = createAboutRoutes(service);
  const infer = createInferRoute({ service, limits, turns: createTurns() });
  const add = (method: 'GET' | 'POST', url: string, handler: RouteHandlerMethod): void => {
    app.route({ method, url, handler });
    const allowed = method === 'GET' ? ['GET', 'HEAD'] : ['POST'];
    const others = app.supportedMethods.filter((each) => !allowed.includes(each));
    app.route({ method: others, url, handler: createMethodNotAllowed(allowed) });
  };
  add('GET', '/v2', about.server);
  add('GET', '/v2/health/live', about.live);
  add('GET', '/v2/health/ready', about.ready);
  for (const model of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    add('GET', model, about.model as RouteHandlerMethod);
    add('GET', `${model}/ready`, about.modelReady as RouteHandlerMethod);
    add('POST', `${model}/infer`, infer as RouteHandlerMethod);
  }
  add('POST', '/v1/feedback', createFeedbackRoute(options.feedback));
}
