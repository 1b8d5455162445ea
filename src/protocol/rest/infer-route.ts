import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { TimeSlicer } from '../../concurrency/time-slicer.ts';
import { ServeError } from '../../core/errors.ts';
import type { InferRequest, InferResponse } from '../../core/infer.ts';
import type { RequestTrace } from '../../core/request-trace.ts';
import { tensorBytes } from '../../core/tensor.ts';
import { createClassifier } from '../classify.ts';
import { refusalOf } from '../refusal.ts';
import type { Service } from '../service.ts';
import { writeAnswerHeaders } from './answer-headers.ts';
import { arrive, traced } from './arrival.ts';
import type { BodyMemory } from './body-memory.ts';
import type { AskerOf } from './caller-door.ts';
import { type Compressed, compress } from './compress.ts';
import { connectionSignal } from './connection-signal.ts';
import { type InferCall, openInfer } from './decode.ts';
import { HEADER_LENGTH } from './decode-binary.ts';
import { type Encoded, encodeInfer } from './encode.ts';
import { KnownHeads } from './known-heads.ts';
import type { RestLimits } from './limits.ts';
import type { ShareOf } from './memory-shares.ts';
import type { Call } from './route.ts';

export type InferRouteOptions = {
  readonly service: Pick<
    Service,
    'gateway' | 'routing' | 'tokenFor' | 'newId' | 'clock' | 'traces' | 'exchanges' | 'onRefused'
  >;
  readonly limits: RestLimits;
  readonly memory: BodyMemory;
  readonly slicer: TimeSlicer;
  readonly shareOf: ShareOf;
  readonly askerOf: AskerOf;
};

/** `POST /v2/models/{m}[/versions/{v}]/infer`: decode, ask the gateway, encode. */
export function createInferRoute(options: InferRouteOptions) {
  const { service, askerOf } = options;
  const answer = createAnswer(options);
  return (http: Call<'model' | 'version'>, reply: FastifyReply): Promise<string | Buffer> => {
    const { model, version } = http.params;
    const arrival = arrive(http, service, model);
    const { requestId, callerId, traceparent, startedMs, trace } = arrival;
    const { headers } = http;
    const body = Buffer.isBuffer(http.body) ? http.body : EMPTY;
    const call: TracedInferCall = {
      model,
      version,
      headers,
      body,
      requestId,
      callerId,
      traceparent,
      startedMs,
      trace,
      caller: askerOf(http.raw).caller,
    };
    return traced(arrival, reply, answer(http, reply, call));
  };
}

type TracedInferCall = InferCall & { readonly trace: RequestTrace | undefined };

function createAnswer({ service, limits, memory, slicer, shareOf }: InferRouteOptions) {
  const { gateway } = service;
  const heads = new KnownHeads();
  return async (
    http: Call<'model' | 'version'>,
    reply: FastifyReply,
    call: TracedInferCall,
  ): Promise<string | Buffer> => {
    const { model, version, trace } = call;
    const share = shareOf(http.raw);
    let [id, isAsked]: [string | undefined, boolean] = [undefined, false];
    try {
      const opened = await openInfer(call, {
        routing: service.routing(model),
        limits,
        slicer,
        heads,
        share,
        signature: () => gateway.metadata(model, version),
      });
      id = opened.id;
      const { request, wanted } = await opened.decode();
      if (!isViewed(call.body, request)) memory.giveBack(call.body);
      const classify = createClassifier(gateway, model, wanted.classes);
      isAsked = true;
      const signal = connectionSignal(http.raw.socket, reply.raw);
      trace?.decoded();
      const answer = await gateway.infer(request, signal);
      trace?.answered(answer);
      const response = classify(answer);
      share.take(tensorBytes(response.outputs));
      const { version: answeredBy } = response;
      const token = service.tokenFor({ model, version: answeredBy, id: request.id });
      const encoded = await encodeInfer(response, { ...wanted, token }, slicer);
      const compressed = await compress(encoded, acceptedBy(http.headers));
      writeHeaders(reply, { response, encoded, compressed, token });
      return compressed.body;
    } catch (thrown) {
      // The gateway reports its own refusals.
      if (!isAsked && thrown instanceof ServeError) service.onRefused(model, thrown.code);
      throw refusalOf(thrown, id);
    }
  };
}

const EMPTY = Buffer.alloc(0);

/** Tensors in binary are views of the body; of one that was all JSON nothing is left but what was read from it. */
function isViewed(body: Buffer, { inputs }: InferRequest): boolean {
  return inputs.some(({ data }) => data.buffer === body.buffer);
}

type Written = {
  readonly response: InferResponse;
  readonly encoded: Encoded;
  readonly compressed: Compressed;
  readonly token: string | undefined;
};

function writeHeaders(reply: FastifyReply, written: Written): void {
  const { response, encoded, compressed, token } = written;
  reply.header('content-type', encoded.contentType);
  writeAnswerHeaders(reply, { version: response.version, token });
  if (encoded.headBytes !== undefined) reply.header(HEADER_LENGTH, encoded.headBytes);
  const { contentEncoding, varies } = compressed;
  if (varies) reply.header('vary', 'accept-encoding');
  if (contentEncoding !== undefined) reply.header('content-encoding', contentEncoding);
}

/** Lines of the header that came more than once count as one list. */
function acceptedBy(headers: IncomingHttpHeaders): string | undefined {
  const accepted = headers['accept-encoding'];
  return Array.isArray(accepted) ? accepted.join(',') : accepted;
}
