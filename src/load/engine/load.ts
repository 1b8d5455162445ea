import type { Arrivals } from '../nouns/arrivals.ts';
import type { Answer, Sender } from '../nouns/sender.ts';
import type { Pulse } from './pulse.ts';

/** One load as it is run in a process: what to send, when, and for how long. Times as in a `LoadPlan`. */
export type Load = {
  /** Opened and closed by the load. */
  readonly sender: Sender;
  /** The bytes of a request, or undefined when there are no more. `place` counts the arrivals from 0. */
  readonly next: (place: number) => Uint8Array | undefined;
  readonly arrivals: Arrivals;
  readonly inFlightMax: number;
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly seed: number;
  /** What is wrong with a successful answer, in words; undefined: nothing. Must not throw. */
  readonly check?: (place: number, answer: Answer) => string | undefined;
  /** Sees every answer as it comes. Must not throw. */
  readonly onAnswer?: (answer: Answer, sent: SentRequest) => void;
  /** Ends the load early: nothing more becomes due. What is due already is sent and awaited, for a time-out at most. */
  readonly signal?: AbortSignal;
};

/** The latency is from the intended start. */
export type SentRequest = { readonly place: number; readonly latencyMs: number };

/** What a process does of a load that several share. */
export type Part = {
  /** Arrivals `at`, `at + of`, `at + 2 * of`, ... of the whole load are this process's. */
  readonly of: number;
  readonly at: number;
  /** Called once all connections are open. Gives the load's start, on this process's monotonic clock. */
  readonly begin: () => Promise<number>;
  /** Called about five times a second. */
  readonly onPulse?: (pulse: Pulse) => void;
};
