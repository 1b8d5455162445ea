import type { Metadata } from '@grpc/grpc-js';
import type { CancelSignal } from '../../core/cancel-signal.ts';
import { ANONYMOUS, type Asker } from '../../core/entrance.ts';
import { ServeError } from '../../core/errors.ts';
import type { QuotaHold } from '../../core/quota.ts';
import type { RequestTrace } from '../../core/request-trace.ts';
import { tensorBytes } from '../../core/tensor.ts';
import { callerIdOf } from '../caller-id.ts';
import { createClassifier } from '../classify.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { carriedTraceparent, traceHeadersOf } from '../open-trace.ts';
import { refusalOf } from '../refusal.ts';
import type { HeaderOf } from '../routing-key.ts';
import type { Service } from '../service.ts';
import { traceparentOf } from '../traceparent.ts';
import { decodeInfer } from './decode.ts';
import { INFERENCE } from './definitions.ts';
import type { Answer } from './encode.ts';
import { type InferMessage, readInferMessage } from './infer-message.ts';
import type { GrpcLimits } from './limits.ts';
import { headersOf } from './metadata.ts';
import { shuttingDown } from './status.ts';
import { WireReader } from './wire-reader.ts';

/** One request for inference, as a call or a stream brought it. */
export type InferCall = {
  readonly method: 'ModelInfer' | 'ModelStreamInfer';
  /** A ModelInferRequest. */
  readonly bytes: Buffer;
  readonly metadata: Metadata;
  /** Who sends it. Throws, or rejects, for one that may send none. */
  readonly ask: () => Asker | Promise<Asker>;
  /** For what is decoded of the message, and the answer's tensors. */
  readonly share: Pick<MemoryShare, 'take'>;
  /** When the caller stops waiting, on the monotonic clock; Infinity: never. */
  readonly deadlineMs: number;
  readonly signal: CancelSignal;
};

/** A request's outcome. A failure is a value so that the request's id can be echoed with it. */
export type Outcome = Known &
  (
    | { readonly kind: 'answer'; readonly answer: Answer }
    | { readonly kind: 'failure'; readonly error: unknown; readonly id: string }
  );

/** What is known of a request apart from its outcome. */
type Known = {
  /** The caller's id of the request, to be echoed. */
  readonly callerId: string | undefined;
  /** Where it is traced: to be ended once the outcome is on its way. */
  readonly trace: RequestTrace | undefined;
};

/** Answers requests. Never rejects. */
export type AnswerInfer = (call: InferCall) => Promise<Outcome>;

type AnswerService = Pick<
  Service,
  | 'gateway'
  | 'routing'
  | 'tokenFor'
  | 'newId'
  | 'clock'
  | 'traces'
  | 'exchanges'
  | 'quotas'
  | 'onRefused'
>;

/** Decode, ask the gateway, pick classes where they are wanted. */
export function createAnswerInfer(service: AnswerService, limits: GrpcLimits): AnswerInfer {
  return async (call) => {
    const header = headersOf(call.metadata);
    const [callerId, requestId] = [callerIdOf(header), service.newId()];
    const ids = { header, callerId, requestId, startedMs: service.clock.monotonicMs() };
    let id = '';
    let trace: RequestTrace | undefined;
    let hold: QuotaHold | undefined;
    try {
      if (service.gateway.draining()) throw shuttingDown();
      const message = counted(service.onRefused, '', () =>
        readInferMessage(new WireReader(call.bytes), limits),
      );
      id = message.id;
      service.exchanges?.named(call.metadata, { id: requestId, model: message.model });
      const asked = call.ask();
      const asker = asked instanceof Promise ? await asked : asked;
      hold = counted(service.onRefused, message.model, () => admit(service, asker, message.model));
      const opened = openTrace(service.traces, {
        ...ids,
        method: call.method,
        model: message.model,
      });
      trace = opened.trace;
      const { caller } = asker;
      const found = await answer(service, { ...call, ...ids, ...opened, caller }, message);
      return { kind: 'answer', answer: found, callerId, trace };
    } catch (thrown) {
      const error = thrown instanceof ServeError ? refusalOf(thrown, id) : thrown;
      return { kind: 'failure', error, id, callerId, trace };
    } finally {
      hold?.release();
    }
  };
}

/** Whether the caller may ask the model, and not too often: before its tensors are decoded. */
function admit(
  { quotas }: Pick<Service, 'quotas'>,
  asker: Asker,
  model: string,
): QuotaHold | undefined {
  asker.check('infer', model);
  return quotas?.take(asker.caller?.name ?? ANONYMOUS, model);
}

/** How a request arrived. */
type Arrival = {
  readonly header: HeaderOf;
  readonly callerId: string | undefined;
  readonly requestId: string;
  readonly startedMs: number;
};

type Opened = {
  readonly trace: RequestTrace | undefined;
  readonly traceparent: string | undefined;
};

/** Begins the trace of a request, where it is sampled. */
function openTrace(
  traces: AnswerService['traces'],
  arrival: Arrival & { readonly method: InferCall['method']; readonly model: string },
): Opened {
  const { header, callerId, requestId, startedMs, method, model } = arrival;
  const parent = traceparentOf(header);
  const trace = traces?.samples(parent)
    ? traces.begin({
        ...{ wire: 'grpc', model, callerId, startedMs, traceparent: parent },
        ...traceHeadersOf(header),
        operation: `${INFERENCE}/${method}`,
        path: undefined,
        id: requestId,
      })
    : undefined;
  return { trace, traceparent: carriedTraceparent(traces, trace, parent) };
}

async function answer(
  { gateway, routing, tokenFor, onRefused }: AnswerService,
  call: InferCall & Arrival & Opened & Pick<Asker, 'caller'>,
  message: InferMessage,
): Promise<Answer> {
  const { bytes, share, signal, trace } = call;
  const { request, form, classCounts } = counted(onRefused, message.model, () => {
    const decoded = decodeInfer(message, {
      ...call,
      routing: routing(message.model),
      callDeadlineMs: call.deadlineMs,
    });
    share.take(
      tensorBytes(decoded.request.inputs.filter(({ data }) => data.buffer !== bytes.buffer)),
    );
    return decoded;
  });
  const { id, model } = message;
  const classify = createClassifier(gateway, model, classCounts);
  trace?.decoded();
  const inferred = await gateway.infer(request, signal);
  trace?.answered(inferred);
  const response = classify(inferred);
  share.take(tensorBytes(response.outputs));
  const token = tokenFor({ model, version: response.version, id: request.id });
  return { response, id, form, token };
}

/** Reports refusals before the gateway; the gateway reports its own. */
function counted<T>(onRefused: Service['onRefused'], model: string, decode: () => T): T {
  try {
    return decode();
  } catch (thrown) {
    if (thrown instanceof ServeError) onRefused(model, thrown.code);
    throw thrown;
  }
}
