import type { Metadata } from '@grpc/grpc-js';
import type { CancelSignal } from '../../core/cancel-signal.ts';
import { ServeError } from '../../core/errors.ts';
import { tensorBytes } from '../../core/tensor.ts';
import { createClassifier } from '../classify.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { refusalOf } from '../refusal.ts';
import type { Service } from '../service.ts';
import { decodeInfer } from './decode.ts';
import type { Answer } from './encode.ts';
import { type InferMessage, readInferMessage } from './infer-message.ts';
import type { GrpcLimits } from './limits.ts';
import { headersOf } from './metadata.ts';
import { shuttingDown } from './status.ts';
import { WireReader } from './wire-reader.ts';

/** One request for inference, as a call or a stream brought it. */
export type InferCall = {
  /** A ModelInferRequest. */
  readonly bytes: Buffer;
  readonly metadata: Metadata;
  /** For what is decoded of the message, and the answer's tensors. */
  readonly share: Pick<MemoryShare, 'take'>;
  /** When the caller stops waiting, on the monotonic clock; Infinity: never. */
  readonly deadlineMs: number;
  readonly signal: CancelSignal;
};

/** A request's outcome. A failure is a value so that the request's id can be echoed with it. */
export type Outcome =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly error: unknown; readonly id: string };

/** Answers requests. Never rejects. */
export type AnswerInfer = (call: InferCall) => Promise<Outcome>;

/** Decode, ask the gateway, pick classes where they are wanted. */
export function createAnswerInfer(
  service: Pick<Service, 'gateway' | 'routing' | 'tokenFor' | 'newId' | 'clock' | 'onRefused'>,
  limits: GrpcLimits,
): AnswerInfer {
  return async (call) => {
    let id = '';
    try {
      if (service.gateway.draining()) throw shuttingDown();
      const message = counted(service.onRefused, '', () =>
        readInferMessage(new WireReader(call.bytes), limits),
      );
      id = message.id;
      return { kind: 'answer', answer: await answer(service, call, message) };
    } catch (thrown) {
      const error = thrown instanceof ServeError ? refusalOf(thrown, id) : thrown;
      return { kind: 'failure', error, id };
    }
  };
}

async function answer(
  { gateway, routing, tokenFor, newId, clock, onRefused }: Parameters<typeof createAnswerInfer>[0],
  { bytes, metadata, share, deadlineMs, signal }: InferCall,
  message: InferMessage,
): Promise<Answer> {
  const { request, form, classCounts } = counted(onRefused, message.model, () => {
    const decoded = decodeInfer(message, {
      routing: routing(message.model),
      header: headersOf(metadata),
      requestId: newId(),
      startedMs: clock.monotonicMs(),
      callDeadlineMs: deadlineMs,
    });
    share.take(
      tensorBytes(decoded.request.inputs.filter(({ data }) => data.buffer !== bytes.buffer)),
    );
    return decoded;
  });
  const { id, model } = message;
  const classify = createClassifier(gateway, model, classCounts);
  const response = classify(await gateway.infer(request, signal));
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
