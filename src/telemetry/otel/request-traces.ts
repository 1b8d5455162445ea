/**
 * Traces of live requests: one SERVER span per traced request, made by the gateway alone. Processes that run models have no SDK:
 * their part, the spans `queue` and `compute`, is drawn from the clocks in their answers. Those clocks say how long, not when, so
 * both spans stand in the middle of the time in which the gateway waited for the answer.
 */
import {
  type Context,
  createTraceState,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Clock } from '../../core/clock.ts';
import { GRPC_STATUS_NAMES } from '../../core/grpc-status-names.ts';
import type { InferResponse } from '../../core/infer.ts';
import type { Outcome, Tap } from '../../core/outcome.ts';
import type { CallEnd, RequestTrace, RequestTraces, TracedCall } from '../../core/request-trace.ts';
import type { Assignment } from '../../core/route.ts';
import { idsOf } from '../../core/traceparent.ts';
import { baggageOf } from './baggage.ts';
import { BatchSpans } from './batch-spans.ts';
import type { Sampler } from './sampling.ts';
import { shortened } from './shortened.ts';

export type RequestTracesOptions = {
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly sampler: Sampler;
  /** Whether more spans may wait to be sent; asked once for each sampled request, and a no is counted where it is given. */
  readonly hasRoom: () => boolean;
  /** Keys of baggage that become attributes. */
  readonly baggage: readonly string[];
};

export class OtelRequestTraces implements RequestTraces {
  readonly #options: RequestTracesOptions;
  readonly #batches: BatchSpans;
  /** By our id: those in flight. */
  readonly #open = new Map<string, OpenTrace>();

  constructor(options: RequestTracesOptions) {
    this.#options = options;
    this.#batches = new BatchSpans(options.tracer);
  }

  readonly samples = (traceparent: string | undefined): boolean =>
    this.#options.sampler(traceparent) && this.#options.hasRoom();

  readonly begin = (call: TracedCall): RequestTrace => {
    const opened = new OpenTrace(call, {
      ...this.#options,
      batches: this.#batches,
      onEnd: () => this.#open.delete(call.id),
    });
    this.#open.set(call.id, opened);
    return opened;
  };

  /** For the gateway: where the request was assigned, and how it ended there. */
  readonly tap: Tap = (request, assignment) => {
    if (this.#open.size === 0) return undefined;
    return this.#open.get(request.id)?.assigned(assignment);
  };
}

type OpenTraceOptions = Omit<RequestTracesOptions, 'sampler' | 'hasRoom'> & {
  readonly batches: BatchSpans;
  readonly onEnd: () => void;
};

/** From the arrival of a call to the end of its answer. All moments are milliseconds of the monotonic clock. */
class OpenTrace implements RequestTrace {
  readonly traceparent: string;
  readonly #options: OpenTraceOptions;
  readonly #call: TracedCall;
  readonly #span: Span;
  /** What the monotonic clock is behind the wall clock. One figure for the whole trace, so that its durations are exact. */
  readonly #aheadMs: number;
  #decodedMs: number | undefined;
  #assignment: Assignment | undefined;
  /** Where the request was assigned it failed. */
  #failure: Extract<Outcome, { readonly kind: 'failure' }> | undefined;
  #answer: { readonly response: InferResponse; readonly atMs: number } | undefined;
  #hasEnded = false;

  constructor(call: TracedCall, options: OpenTraceOptions) {
    this.#options = options;
    this.#call = call;
    const { tracer, clock } = options;
    this.#aheadMs = clock.wallMs() - clock.monotonicMs();
    const { wire, operation } = call;
    this.#span = tracer.startSpan(
      wire === 'http' ? `POST ${operation}` : operation,
      {
        kind: SpanKind.SERVER,
        startTime: call.startedMs + this.#aheadMs,
        attributes: attributesOf(call, options.baggage),
      },
      parentOf(call),
    );
    const { traceId, spanId } = this.#span.spanContext();
    this.traceparent = `00-${traceId}-${spanId}-01`;
  }

  decoded(): void {
    this.#decodedMs = this.#options.clock.monotonicMs();
  }

  assigned(assignment: Assignment): (outcome: Outcome) => void {
    this.#assignment = assignment;
    return (outcome) => {
      if (outcome.kind === 'failure') this.#failure = outcome;
    };
  }

  answered(response: InferResponse): void {
    this.#answer = { response, atMs: this.#options.clock.monotonicMs() };
  }

  end(end: CallEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.onEnd();
    const endedMs = this.#options.clock.monotonicMs();
    this.#describe(endedMs);
    this.#conclude(end);
    this.#span.end(endedMs + this.#aheadMs);
  }

  /** Where it went, how long each part took, and the spans of the process that ran it. */
  #describe(endedMs: number): void {
    const span = this.#span;
    const decodedMs = this.#decodedMs ?? endedMs;
    span.setAttribute('understudy.decode.duration', (decodedMs - this.#call.startedMs) / 1_000);
    const { arm, by, version } = this.#assignment ?? {};
    if (arm !== undefined) span.setAttribute('understudy.arm', arm);
    if (by !== undefined) span.setAttribute('understudy.route.by', by);
    if (version !== undefined) span.setAttribute('model.version', version);
    if (this.#answer === undefined) return;
    const { response, atMs } = this.#answer;
    const { queueMs, computeMs } = response.timing;
    span.setAttribute('model.version', response.version);
    span.setAttribute('understudy.queue.duration', queueMs / 1_000);
    span.setAttribute('understudy.compute.duration', computeMs / 1_000);
    span.setAttribute('understudy.batch.rows', response.batch.rows);
    span.setAttribute('understudy.encode.duration', (endedMs - atMs) / 1_000);
    if (this.#failure !== undefined) this.#addFallback(this.#failure);
    this.#drawRun(this.#failure?.endedMs ?? decodedMs);
  }

  #addFallback({ code, endedMs }: Extract<Outcome, { readonly kind: 'failure' }>): void {
    const { arm, version } = this.#assignment ?? {};
    this.#span.addEvent(
      'understudy.fallback',
      {
        'error.type': code,
        ...(arm && { 'understudy.arm': arm }),
        ...(version && { 'model.version': version }),
      },
      endedMs + this.#aheadMs,
    );
  }

  /** @param fromMs when the gateway handed the request to the host that answered it. */
  #drawRun(fromMs: number): void {
    if (this.#answer === undefined) return;
    const { response, atMs } = this.#answer;
    const { queueMs, computeMs } = response.timing;
    const wayMs = Math.max(0, atMs - fromMs - queueMs - computeMs) / 2;
    const computedMs = atMs - wayMs + this.#aheadMs;
    const startedMs = computedMs - computeMs;
    const { tracer, batches } = this.#options;
    const inside = trace.setSpan(ROOT_CONTEXT, this.#span);
    tracer.startSpan('queue', { startTime: startedMs - queueMs }, inside).end(startedMs);
    const arm = this.#failure === undefined ? (this.#assignment?.arm ?? 'stable') : 'stable';
    const batch = batches.linkTo({ response, arm, startedMs, endedMs: computedMs });
    tracer
      .startSpan(
        'compute',
        {
          startTime: startedMs,
          attributes: {
            'model.name': response.model,
            'model.version': response.version,
            'understudy.arm': arm,
            'understudy.batch.id': response.batch.id,
            'understudy.batch.rows': response.batch.rows,
          },
          links: batch === undefined ? [] : [batch],
        },
        inside,
      )
      .end(computedMs);
  }

  #conclude({ status, code, isFault }: CallEnd): void {
    const span = this.#span;
    if (this.#call.wire === 'http') span.setAttribute('http.response.status_code', status);
    else span.setAttribute('rpc.status_code', GRPC_STATUS_NAMES[status] ?? String(status));
    if (code === undefined) return;
    span.setAttribute('error.type', code);
    if (isFault) span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  }
}

function attributesOf(call: TracedCall, baggage: readonly string[]) {
  const { wire, operation, path, model, id, callerId } = call;
  const wireAttributes =
    wire === 'http'
      ? {
          'http.request.method': 'POST',
          'http.route': operation,
          'url.scheme': 'http',
          ...(path !== undefined && { 'url.path': shortened(path) }),
        }
      : { 'rpc.system.name': 'grpc', 'rpc.method': operation };
  return {
    ...baggageOf(call.baggage, baggage),
    ...wireAttributes,
    'model.name': shortened(model),
    'understudy.request.id': id,
    ...(callerId !== undefined && { 'http.request.header.x-request-id': [callerId] }),
  };
}

/** The caller's span as the parent of ours. */
function parentOf({ traceparent, tracestate }: TracedCall): Context {
  if (traceparent === undefined) return ROOT_CONTEXT;
  const state = tracestate === undefined || tracestate.length > TRACESTATE_MAX ? '' : tracestate;
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...idsOf(traceparent),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
    ...(state !== '' && { traceState: createTraceState(state) }),
  });
}

/** W3C: what is longer may be dropped. */
const TRACESTATE_MAX = 512;

/** A link to a live request's span, by the `traceparent` that the request carries. */
export function linkTo(traceparent: string): Link {
  return {
    context: { ...idsOf(traceparent), traceFlags: TraceFlags.SAMPLED, isRemote: false },
  };
}
