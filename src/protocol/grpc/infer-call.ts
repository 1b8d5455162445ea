import type { Metadata } from '@grpc/grpc-js';

import type { Clock } from '../../core/clock.ts';
import type { Asker } from '../../core/entrance.ts';
import { REQUEST_ID } from '../caller-id.ts';
import type { MemoryShare } from '../memory-budget.ts';
import type { AnswerInfer } from './answer-infer.ts';
import { callDeadlineMs, callSignal } from './call-signal.ts';
import { encodeAnswer } from './encode.ts';
import { answerMetadata } from './metadata.ts';
import { ANSWERED, failedGrpcCall, statusOf } from './status.ts';
import { type BytesHandler, type ReportError, reportFault } from './unary.ts';

export type InferCallOptions = {
  readonly answerInfer: AnswerInfer;
  readonly clock: Clock;
  /** What a call holds of the memory for all, by the metadata that it came with. */
  readonly shareOf: (metadata: Metadata) => MemoryShare;
  /** Who sent a call, by the metadata that it came with. */
  readonly askerOf: (metadata: Metadata) => Asker;
  readonly onInternalError: ReportError;
};

/** `ModelInfer`: one request, one answer. The version that answered and the feedback token come ahead of it as metadata. */
export function createInferCall(options: InferCallOptions): BytesHandler {
  const { answerInfer, clock, shareOf, askerOf, onInternalError } = options;
  return async (call, callback) => {
    const outcome = await answerInfer({
      method: 'ModelInfer',
      bytes: call.request,
      metadata: call.metadata,
      ask: () => askerOf(call.metadata),
      share: shareOf(call.metadata),
      deadlineMs: callDeadlineMs(call, clock),
      signal: callSignal(call, clock),
    });
    const { callerId } = outcome;
    try {
      if (outcome.kind === 'failure') throw outcome.error;
      const { answer } = outcome;
      const message = encodeAnswer(answer);
      const { version } = answer.response;
      call.sendMetadata(answerMetadata(version, answer.token, callerId));
      callback(null, message);
      outcome.trace?.end(ANSWERED);
    } catch (thrown) {
      reportFault(thrown, onInternalError);
      const status = statusOf(thrown);
      if (callerId !== undefined) status.metadata.set(REQUEST_ID, callerId);
      callback({ ...status });
      outcome.trace?.end(failedGrpcCall(thrown));
    }
  };
}
