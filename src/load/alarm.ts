import type { Clock } from '../core/clock.ts';

/** Wakes at moments of the monotonic clock. One wait at a time. */
export interface Alarm {
  /** Resolves at the moment, or a little after it; earlier only where `ring` is called. */
  until(monotonicMs: number): Promise<void>;
  /** Ends the present wait, if there is one. */
  ring(): void;
  close(): void;
}

/** By the timers of the event loop: a millisecond late, give or take one. */
export class TimerAlarm implements Alarm {
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  until(monotonicMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = setTimeout(resolve, monotonicMs - this.#clock.monotonicMs());
    });
  }

  ring(): void {
    clearTimeout(this.#timer);
    this.#wake?.();
  }

  close(): void {
    this.ring();
  }
}

export function openAlarm(clock: Clock): Promise<Alarm> {
  return Promise.resolve(new TimerAlarm(clock));
}
