import type { Entry } from '../batching/queue.ts';
import { bytesOf } from '../batching/work.ts';
import { InFlightTable } from '../concurrency/in-flight-table.ts';
import { ServeError } from '../core/errors.ts';
import { StuckRunError } from '../core/stuck-run.ts';
import type { Planned } from '../core/work.ts';
import type { FailureFrame, Frame } from '../frame/frame.ts';

/** How the caller of a request gets its outcome. */
export type Settle = Pick<Entry, 'resolve' | 'reject'>;

/** A request that is not yet settled: held until a process is ready, or sent to one. */
export type Pending = Planned & { readonly settle: Settle; sent: boolean };

/** The requests of one supervisor that are not yet settled, by correlation number, and how many of them the process has. */
export class PendingRequests {
  readonly #table = new InFlightTable<Pending>();
  #sent = 0;

  get size(): number {
    return this.#table.size;
  }

  /** Requests that the process has. */
  get sent(): number {
    return this.#sent;
  }

  /** Bytes of the inputs of all requests. */
  get bytes(): number {
    return this.#table.entries().reduce((sum, [, { work }]) => sum + bytesOf(work), 0);
  }

  /** Adds a request, held at first, and returns its correlation number. */
  add(pending: Pending): number {
    return this.#table.add(pending);
  }

  markSent(pending: Pending): void {
    pending.sent = true;
    this.#sent += 1;
  }

  /** Undefined: the request is settled already. */
  remove(correlation: number): Pending | undefined {
    const pending = this.#table.remove(correlation);
    if (pending?.sent) this.#sent -= 1;
    return pending;
  }

  /** Oldest first. */
  entries(): readonly (readonly [number, Pending])[] {
    return this.#table.entries();
  }

  /** Settles the request that the frame answers. Frames of other kinds, and of requests that are settled already, do nothing. */
  settle(frame: Frame): void {
    if (frame.kind !== 'answer' && frame.kind !== 'failure') return;
    const pending = this.remove(frame.correlation);
    if (pending === undefined) return;
    if (frame.kind === 'answer') {
      pending.settle.resolve(frame.answer);
      return;
    }
    pending.settle.reject(errorOf(frame));
  }

  /** Rejects the requests that match with one error. */
  reject(matches: (pending: Pending) => boolean, error: ServeError): void {
    for (const [correlation, pending] of this.#table.entries()) {
      if (!matches(pending)) continue;
      this.remove(correlation);
      pending.settle.reject(error);
    }
  }

  /** The earliest deadline among the requests that the process has, in monotonic milliseconds; Infinity: it has none. */
  get firstSentDeadlineMs(): number {
    let firstMs = Number.POSITIVE_INFINITY;
    for (const [, { work, sent }] of this.#table.entries()) {
      if (sent) firstMs = Math.min(firstMs, work.deadlineMs);
    }
    return firstMs;
  }
}

function errorOf({ code, message, retryAfterMs, stuckSource }: FailureFrame): ServeError {
  if (stuckSource !== undefined) return new StuckRunError(message, stuckSource);
  return new ServeError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}
