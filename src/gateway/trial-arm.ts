/**
 * One arm on trial, as live requests see it: how long it may take, how many it may hold, and whether it answers at all. The
 * candidate and control are treated alike, so that what this does to one arm says nothing for or against it.
 *
 * States: open (requests go to the arm), and paused (it has timed out too often in a row: its requests go straight to stable,
 * but for one probe at a time, and the first answer opens it again).
 */
import { ServeError } from '../core/errors.ts';

/** One request in flight on an arm. */
export type Place = { readonly isProbe: boolean; readonly budgetMs: number };

/** The arm is paused. The pause is one event, up to the moment at which the arm is tried again. */
export class ArmPausedError extends ServeError {
  /** Monotonic milliseconds. */
  readonly untilMs: number;

  constructor(message: string, untilMs: number) {
    super('version_not_ready', message);
    this.untilMs = untilMs;
  }
}

/** Time-outs without an answer between them that pause an arm. */
export const TIMEOUTS_MAX = 5;

/** From the end of one probe of a paused arm to the next. */
export const PROBE_EVERY_MS = 1_000;

/** A time-out says something of an arm only if it had this many of stable's p99. */
const FAIR_P99S = 2;

/**
 * How long an arm on trial may take of the time that the caller still waits: all but the larger of a quarter and twice stable's
 * p99, and never less than half. All in milliseconds.
 */
export function armBudgetMs(leftMs: number, stableP99Ms: number | undefined): number {
  const forStableMs = Math.max(leftMs / 4, FAIR_P99S * (stableP99Ms ?? 0));
  return Math.max(leftMs - forStableMs, leftMs / 2);
}

export class TrialArm {
  readonly #name: string;
  readonly #inFlightMax: number;
  #inFlight = 0;
  #timeoutsInRow = 0;
  /** Of a paused arm: when it may be tried next. */
  #probeAtMs = 0;
  #isProbing = false;

  constructor(name: string, inFlightMax: number) {
    this.#name = name;
    this.#inFlightMax = inFlightMax;
  }

  isPaused(): boolean {
    return this.#timeoutsInRow >= TIMEOUTS_MAX;
  }

  /**
   * Takes a place for a request that may take `budgetMs`; `leave` gives it back.
   * @throws ArmPausedError; ServeError `overloaded` where the arm holds as many as it may.
   */
  enter(budgetMs: number, nowMs: number): Place {
    const isProbe = this.isPaused();
    if (isProbe && (this.#isProbing || nowMs < this.#probeAtMs)) {
      const untilMs = Math.max(this.#probeAtMs, nowMs + (this.#isProbing ? budgetMs : 0));
      throw new ArmPausedError(
        `${this.#name} has timed out ${this.#timeoutsInRow} times in a row: expected an answer in time, found none. It is asked again within ${PROBE_EVERY_MS} ms`,
        untilMs,
      );
    }
    if (this.#inFlight >= this.#inFlightMax) {
      throw new ServeError(
        'overloaded',
        `${this.#name}: expected at most ${this.#inFlightMax} requests in flight, found ${this.#inFlight}`,
        { retryAfterMs: 1_000 },
      );
    }
    if (isProbe) this.#isProbing = true;
    this.#inFlight += 1;
    return { isProbe, budgetMs };
  }

  /** A request has ended here: by an answer, by using up a time that was fair, or otherwise. */
  leave(place: Place, how: 'answer' | 'timeout' | 'other', nowMs: number): void {
    this.#inFlight -= 1;
    if (how === 'answer') this.#timeoutsInRow = 0;
    if (how === 'timeout') {
      this.#timeoutsInRow += 1;
      if (this.#timeoutsInRow === TIMEOUTS_MAX) this.#probeAtMs = nowMs + PROBE_EVERY_MS;
    }
    if (!place.isProbe) return;
    this.#isProbing = false;
    this.#probeAtMs = nowMs + PROBE_EVERY_MS;
  }
}

/** True if so long was enough to say that the arm is at fault: a caller in a hurry must not pause an arm. */
export function isFairTime(tookMs: number, stableP99Ms: number | undefined): boolean {
  return stableP99Ms === undefined || tookMs >= FAIR_P99S * stableP99Ms;
}
