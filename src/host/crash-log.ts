import type { Clock } from '../core/clock.ts';

export type CrashAdvice = {
  /** How long to wait before the next start. */
  readonly delayMs: number;
  /** So many crashes within the window that the next start will most likely end the same way. */
  readonly isLoop: boolean;
  /** This crash is the one that made it a loop. */
  readonly isNewLoop: boolean;
};

const WINDOW_MS = 60_000;
const LOOP_CRASHES = 3;
const DELAY_MS_MIN = 100;
const DELAY_MS_MAX = 10_000;

/** Remembers the crashes of the last minute. The first restart is immediate; each further one waits twice as long. */
export class CrashLog {
  readonly #clock: Clock;
  #momentsMs: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(): CrashAdvice {
    const nowMs = this.#clock.monotonicMs();
    this.#momentsMs = this.#momentsMs.filter((momentMs) => momentMs > nowMs - WINDOW_MS);
    this.#momentsMs.push(nowMs);
    const crashes = this.#momentsMs.length;
    const delayMs = crashes === 1 ? 0 : Math.min(DELAY_MS_MIN * 2 ** (crashes - 2), DELAY_MS_MAX);
    return { delayMs, isLoop: crashes >= LOOP_CRASHES, isNewLoop: crashes === LOOP_CRASHES };
  }
}
