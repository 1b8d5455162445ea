import { offAbort, onAbort } from '../concurrency/cancel-token.ts';
import type { CancelSignal } from '../core/cancel-signal.ts';
import { TIMER_MS_MAX } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { Infer, InferRequest, InferResponse } from '../core/infer.ts';

export type Waiting = {
  readonly request: InferRequest;
  readonly signal: CancelSignal;
  /** How long the caller still waits. */
  readonly leftMs: number;
};

/**
 * Runs and waits for the answer until the deadline passes or the signal aborts, whichever is first. The host gets both
 * and may give up earlier; the bound holds even if it ignores them. A later answer is dropped.
 */
export function answerInTime(infer: Infer, waiting: Waiting): Promise<InferResponse> {
  const { request, signal, leftMs } = waiting;
  return new Promise((resolve, reject) => {
    const onGone = (): void => {
      clearTimeout(timer);
      reject(new ServeError('cancelled', 'The caller went away before the answer'));
    };
    const onDeadline = (): void => {
      offAbort(signal, onGone);
      reject(new ServeError('deadline_exceeded', 'Request timeout expired before the answer'));
    };
    // Whole milliseconds, rounded up: timers of equal length share one list. Longer than a timer can be is no deadline.
    const timer = setTimeout(onDeadline, Math.min(Math.ceil(leftMs), TIMER_MS_MAX));
    const settle = (): void => {
      clearTimeout(timer);
      offAbort(signal, onGone);
    };
    if (signal.aborted) return onGone();
    onAbort(signal, onGone);
    infer(request, signal).then(
      (response) => {
        settle();
        resolve(response);
      },
      (thrown: unknown) => {
        settle();
        reject(thrown);
      },
    );
  });
}
