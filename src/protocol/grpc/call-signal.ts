import { CancelToken } from '../../concurrency/cancel-token.ts';
import type { Clock } from '../../core/clock.ts';

/** The part of a call that knows its deadline and its cancellation. */
export type Waited = {
  getDeadline(): Date | number;
  once(event: 'cancelled', listener: () => void): unknown;
};

/** When the caller stops waiting, on the monotonic clock; Infinity: never. The library has it on the wall clock. */
export function callDeadlineMs(call: Pick<Waited, 'getDeadline'>, clock: Clock): number {
  const deadline = Number(call.getDeadline());
  if (deadline === Infinity) return Infinity;
  return deadline - clock.wallMs() + clock.monotonicMs();
}

/**
 * Aborted once the call has been cancelled or its connection lost. A call whose deadline passes is not: the request has the same
 * deadline, and is counted as what it is.
 */
export function callSignal(call: Waited, clock: Clock): CancelToken {
  const token = new CancelToken();
  // Fires for every call, answered ones included: they have no listener left.
  call.once('cancelled', () => {
    if (Number(call.getDeadline()) > clock.wallMs()) token.abort();
  });
  return token;
}
