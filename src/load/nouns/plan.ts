import type { AnswerCheck } from './answer-check.ts';
import type { Arrivals } from './arrivals.ts';
import type { Wire } from './wire.ts';

/** One load, whole: what to send where, when, and for how long. Plain data: it is sent to the generator's processes. */
export type LoadPlan = {
  readonly wire: Wire;
  /** Whole HTTP requests, or gRPC messages. The k-th arrival sends the one at k modulo their number. */
  readonly requests: readonly Uint8Array[];
  readonly arrivals: Arrivals;
  /** An arrival beyond that waits for an answer to another, and its wait counts as latency. */
  readonly inFlightMax: number;
  /** Of the whole load, warm-up included. */
  readonly durationMs: number;
  /** Requests meant to start before this are sent and shown, and not measured. */
  readonly warmupMs: number;
  /** An answer later than this after the intended start is not good. */
  readonly deadlineMs: number;
  /** An answer that has not come by then after its sending is given up and counted as the error `timeout`. */
  readonly timeoutMs: number;
  /** Of the arrivals. The same seed has the same arrivals, however many processes share them. */
  readonly seed: number;
  /** What the answers must be; undefined: only that they are answers. */
  readonly check?: AnswerCheck;
};
