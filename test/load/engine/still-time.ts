import type { Clock } from '../../../src/core/clock.ts';
import type { Alarm } from '../../../src/load/engine/alarm.ts';

type Event = { readonly atMs: number; readonly happen: () => void };

/**
 * Time that stands still while anything happens and then leaps to what happens next: an alarm that is never late and a server
 * that holds its answers for exactly the given time, on any machine.
 */
export class StillTime implements Clock, Alarm {
  readonly #events: Event[] = [];
  #nowMs = 0;
  #leaps = false;
  #wake: (() => void) | undefined;

  readonly monotonicMs = (): number => this.#nowMs;
  readonly wallMs = (): number => this.#nowMs;

  at(atMs: number, happen: () => void): void {
    this.#events.push({ atMs, happen });
    if (this.#leaps) return;
    this.#leaps = true;
    this.#leapSoon();
  }

  until(atMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.at(atMs, resolve);
    });
  }

  ring(): void {
    this.#wake?.();
  }

  close(): void {
    this.ring();
  }

  #leap(): void {
    const next = this.#takeNext();
    this.#leaps = next !== undefined;
    if (!next) return;
    this.#nowMs = next.atMs;
    next.happen();
    this.#leapSoon();
  }

  /** A continuation after one turn of the event loop, as in a busy generator, runs before time advances. */
  #leapSoon(): void {
    setImmediate(() => setImmediate(() => this.#leap()));
  }

  /** Few are ever ahead, so they need no order. */
  #takeNext(): Event | undefined {
    let place = 0;
    for (const [other, { atMs }] of this.#events.entries())
      if (atMs < (this.#events[place]?.atMs ?? Number.POSITIVE_INFINITY)) place = other;
    return this.#events.splice(place, 1)[0];
  }
}
