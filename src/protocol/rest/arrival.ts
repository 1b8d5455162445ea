import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallEnd, RequestTrace } from '../../core/request-trace.ts';
import { callerIdOf, REQUEST_ID } from '../caller-id.ts';
import { carriedTraceparent, failedCall, traceHeadersOf } from '../open-trace.ts';
import type { Service } from '../service.ts';
import { traceparentOf } from '../traceparent.ts';
import { headersOf } from './decode.ts';
import { HTTP_STATUS } from './status.ts';

/** What a request for inference is known by from its arrival over HTTP on. */
export type Arrival = {
  /** Our id for the request. */
  readonly requestId: string;
  /** The caller's id of it. */
  readonly callerId: string | undefined;
  /** When it came, on the monotonic clock. */
  readonly startedMs: number;
  /** The span that the request is part of from here on. */
  readonly traceparent: string | undefined;
  /** Where it is traced here. */
  readonly trace: RequestTrace | undefined;
};

/** Names a request and begins its trace, where it is sampled. */
export function arrive(
  { headers, url, routeOptions, raw }: FastifyRequest,
  { traces, newId, clock, exchanges }: Pick<Service, 'traces' | 'newId' | 'clock' | 'exchanges'>,
  model: string,
): Arrival {
  const header = headersOf(headers);
  const parent = traceparentOf(header);
  const [requestId, callerId] = [newId(), callerIdOf(header)];
  exchanges?.named(raw, { id: requestId, model });
  const startedMs = clock.monotonicMs();
  const trace = traces?.samples(parent)
    ? traces.begin({
        ...{ wire: 'http', model, id: requestId, callerId, startedMs, traceparent: parent },
        ...traceHeadersOf(header),
        operation: routeOptions.url ?? '',
        path: url.split('?', 1)[0],
      })
    : undefined;
  const traceparent = carriedTraceparent(traces, trace, parent);
  return { requestId, callerId, startedMs, traceparent, trace };
}

/** The answer, whose trace ends with it. It carries the caller's id of the request. */
export function traced<Answer>(
  { callerId, trace }: Arrival,
  reply: FastifyReply,
  answer: Promise<Answer>,
): Promise<Answer> {
  if (callerId !== undefined) reply.header(REQUEST_ID, callerId);
  return trace === undefined ? answer : ending(trace, answer);
}

async function ending<Answer>(trace: RequestTrace, answer: Promise<Answer>): Promise<Answer> {
  try {
    const answered = await answer;
    trace.end(ANSWERED);
    return answered;
  } catch (thrown) {
    trace.end(failedCall(thrown, ({ code }) => HTTP_STATUS[code], isServerError));
    throw thrown;
  }
}

const ANSWERED: CallEnd = { status: 200, code: undefined, isFault: false };

function isServerError(status: number): boolean {
  return status >= 500;
}
