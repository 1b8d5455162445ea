/**
 * Time, passed in. Durations and deadlines use the monotonic clock; records use the wall clock.
 * The monotonic clock of two processes on one machine must not be compared: send what is left, not a moment.
 */
export type Clock = {
  /** Milliseconds since some fixed moment, with sub-millisecond digits. Never goes back. */
  readonly monotonicMs: () => number;
  /** Milliseconds since 1970-01-01T00:00:00Z. May jump. */
  readonly wallMs: () => number;
};

/** The longest that a timer can wait, some 25 days; one that is set for longer fires immediately. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/**
 * A clock whose wall time runs on by the monotonic clock from where it began: a wall clock that is set back or ahead while the
 * process lives moves no pause, no time-out and no record. Corrections of the machine's clock count from the next start.
 */
export class SteadyClock implements Clock {
  readonly monotonicMs: () => number;
  #aheadMs: number;

  constructor({ monotonicMs, wallMs }: Clock) {
    this.monotonicMs = monotonicMs;
    this.#aheadMs = wallMs() - monotonicMs();
  }

  readonly wallMs = (): number => Math.round(this.monotonicMs() + this.#aheadMs);

  /** From here on it is at least so late: time continues from the last record. Returns by how much it was moved, milliseconds. */
  notBefore(wallMs: number): number {
    const behindMs = Math.max(0, wallMs - this.wallMs());
    this.#aheadMs += behindMs;
    return behindMs;
  }
}

/** A clock that moves only when a test or a replay moves it. */
export class HandClock implements Clock {
  #monotonicMs: number;
  #wallMs: number;

  constructor(startWallMs = 1_700_000_000_000) {
    this.#monotonicMs = 0;
    this.#wallMs = startWallMs;
  }

  readonly monotonicMs = (): number => this.#monotonicMs;
  readonly wallMs = (): number => this.#wallMs;

  advance(ms: number): void {
    this.#monotonicMs += ms;
    this.#wallMs += ms;
  }
}
