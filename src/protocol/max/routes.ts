/**
 * The routes of the Model Asset eXchange, for a model that names what an image shows. What comes in is decoded, becomes an
 * InferRequest and goes through the gateway as every other does: it is split, mirrored and counted.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';

import type { Caller } from '../../core/caller.ts';
import type { Needs } from '../../core/entrance.ts';
import { ServeError } from '../../core/errors.ts';
import type { InferRequest } from '../../core/infer.ts';
import { INFER } from '../needs.ts';
import { FEEDBACK_HEADER, VERSION_HEADER, writeAnswerHeaders } from '../rest/answer-headers.ts';
import { type Arrival, arrive, traced } from '../rest/arrival.ts';
import type { CallerDoor } from '../rest/caller-door.ts';
import { connectionSignal } from '../rest/connection-signal.ts';
import type { ShareOf } from '../rest/memory-shares.ts';
import { routingKeyOf } from '../routing-key.ts';
import type { Service } from '../service.ts';
import { createUploadParser, type Upload } from './decode.ts';
import { encodeLabels, encodePredictions, jsonBytes, sendJson } from './encode.ts';
import type { Deadline, ServedModelAsset } from './model.ts';
import { PAGE_POLICY, pageOf } from './page.ts';
import { createErrorHandler, createMethodNotAllowed, IMAGE_MISSING } from './status.ts';
import { swaggerOf } from './swagger.ts';

export type ModelAssetOptions = {
  readonly service: Service;
  readonly model: ServedModelAsset;
  /** Whether pages of other origins may ask. */
  readonly cors: boolean;
  /** Bytes of a request's body. Beyond: `too_large`. */
  readonly bodyBytesMax: number;
  /** What a request of the server holds of the memory for all. */
  readonly shareOf: ShareOf;
  /** What asks callers of that server. */
  readonly door: CallerDoor;
};

/** Adds the routes to a server, with parsers and errors of their own that leave those of its other routes as they are. */
export function addModelAssetRoutes(app: FastifyInstance, options: ModelAssetOptions): void {
  const { service, bodyBytesMax, cors, shareOf } = options;
  app.register((scope, _, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('multipart/form-data', createUploadParser(bodyBytesMax, shareOf));
    // Not read: a body of any other kind holds no image.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    scope.setErrorHandler(
      createErrorHandler({
        draining: () => service.gateway.draining(),
        onInternalError: service.onInternalError,
      }),
    );
    if (cors) scope.addHook('onRequest', allowOtherOrigins);
    addRoutes(scope, options);
    done();
  });
}

function addRoutes(scope: FastifyInstance, options: ModelAssetOptions): void {
  const { service, model, cors, door } = options;
  const add = (
    { method, url, isInference = false }: Added,
    needs: Needs,
    handler: RouteHandlerMethod,
  ): void => {
    // No path names the model.
    const onRequest = door.hooksOf({ needs, isInference, model: model.name });
    scope.route({ method, url, onRequest, handler });
    const allowed = method === 'GET' ? ['GET', 'HEAD'] : ['POST'];
    if (cors) scope.options(url, createPreflight(allowed));
    const known = cors ? [...allowed, 'OPTIONS'] : allowed;
    const others = scope.supportedMethods.filter((each) => !known.includes(each));
    scope.route({ method: others, url, handler: createMethodNotAllowed(allowed) });
  };
  const { serverVersion } = service;
  add({ method: 'GET', url: '/' }, INFER, (_, reply) => sendPage(reply, pageOf(model.metadata())));
  add({ method: 'GET', url: '/swagger.json' }, INFER, (_, reply) =>
    sendJson(reply, jsonBytes(swaggerOf(model.metadata(), serverVersion))),
  );
  add({ method: 'GET', url: '/model/metadata' }, INFER, (_, reply) =>
    sendJson(reply, jsonBytes(model.metadata())),
  );
  add({ method: 'GET', url: '/model/labels' }, INFER, (_, reply) =>
    sendJson(reply, encodeLabels(model.labels())),
  );
  const predict = { method: 'POST', url: '/model/predict', isInference: true } as const;
  add(predict, INFER, createPredictRoute(options));
}

type Added = {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Whether requests count against quotas. */
  readonly isInference?: boolean;
};

function createPredictRoute(options: ModelAssetOptions) {
  const { service, model } = options;
  const predict = createPredict(options);
  return (http: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const arrival = arrive(http, service, model.name);
    return traced(arrival, reply, predict(http, reply, arrival));
  };
}

function createPredict({ service, model, door }: ModelAssetOptions) {
  const { gateway, clock } = service;
  return async (
    http: FastifyRequest,
    reply: FastifyReply,
    arrival: Arrival,
  ): Promise<FastifyReply> => {
    const { deadlineMs } = service.routing(model.name);
    const deadline = {
      signal: connectionSignal(http.raw.socket, reply.raw),
      deadlineMs: clock.monotonicMs() + deadlineMs,
    };
    const image = (http.body as Upload | undefined)?.image;
    if (image === undefined) {
      service.onRefused(model.name, 'invalid_input');
      sendJson(reply.code(400), IMAGE_MISSING);
      return reply;
    }
    const inputs = await prepared(service, model, { image, deadline });
    const { caller } = door.askerOf(http.raw);
    const request = requestOf(http, { service, model, inputs, deadline, arrival, caller });
    const explain = model.explainer();
    arrival.trace?.decoded();
    const response = await gateway.infer(request, deadline.signal);
    arrival.trace?.answered(response);
    const { version } = response;
    const token = service.tokenFor({ model: model.name, version, id: request.id });
    writeAnswerHeaders(reply, { version, token });
    sendJson(reply, encodePredictions(explain(response)));
    return reply;
  };
}

type Image = { readonly image: Uint8Array; readonly deadline: Deadline };

/** What is refused here never reaches the gateway, which counts the rest. */
async function prepared(
  service: Service,
  model: ServedModelAsset,
  { image, deadline }: Image,
): Promise<InferRequest['inputs']> {
  try {
    return await model.prepare(image, deadline);
  } catch (thrown) {
    const error = ServeError.from(thrown);
    service.onRefused(model.name, error.code);
    throw thrown;
  }
}

type RequestParts = {
  readonly service: Service;
  readonly model: ServedModelAsset;
  readonly inputs: InferRequest['inputs'];
  readonly deadline: Deadline;
  readonly arrival: Arrival;
  readonly caller: Caller | undefined;
};

function requestOf(
  { headers }: FastifyRequest,
  { service, model, inputs, deadline, arrival, caller }: RequestParts,
): InferRequest {
  const { requestId: id, traceparent, callerId } = arrival;
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'string' ? value : value?.[0];
  };
  const { unit, attributes } = routingKeyOf(service.routing(model.name), {
    header,
    sequenceId: undefined,
    requestId: id,
  });
  return {
    id,
    traceparent,
    callerId,
    caller: caller?.name,
    grants: caller?.grants,
    model: model.name,
    version: undefined,
    unit,
    attributes,
    priority: 0,
    inputs,
    outputs: undefined,
    deadlineMs: deadline.deadlineMs,
  };
}

function sendPage(reply: FastifyReply, page: string): void {
  reply
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', PAGE_POLICY)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .send(page);
}

async function allowOtherOrigins(_: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply
    .header('access-control-allow-origin', '*')
    .header('access-control-expose-headers', `${VERSION_HEADER}, ${FEEDBACK_HEADER}`);
}

/** What browsers ask before a request with headers of its own. */
function createPreflight(allowed: readonly string[]): RouteHandlerMethod {
  const methods = [...allowed, 'OPTIONS'].join(', ');
  return async (_, reply) => {
    reply
      .code(204)
      .header('access-control-allow-methods', methods)
      // The star does not stand for this one.
      .header('access-control-allow-headers', '*, authorization');
  };
}
