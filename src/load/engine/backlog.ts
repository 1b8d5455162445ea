import type { Flight } from './observer.ts';

/** A server that hangs for hours must not fill the memory with what waits for it. */
export const BACKLOG_MAX = 1_000_000;
/** Moving what is left to the front costs as much as is left, so it has to be worth it. */
const GONE_MIN = 1_024;

/** Requests that are due and wait until there is room, the oldest first. To take one costs the same however many wait. */
export class Backlog {
  #flights: (Flight | undefined)[] = [];
  #gone = 0;

  get length(): number {
    return this.#flights.length - this.#gone;
  }

  /** False where as many wait as may: it is not taken. */
  push(flight: Flight): boolean {
    if (this.length >= BACKLOG_MAX) return false;
    this.#flights.push(flight);
    return true;
  }

  shift(): Flight | undefined {
    const flight = this.#flights[this.#gone];
    if (flight === undefined) return undefined;
    this.#flights[this.#gone] = undefined;
    this.#gone += 1;
    if (this.#gone >= GONE_MIN && this.#gone * 2 >= this.#flights.length) {
      this.#flights = this.#flights.slice(this.#gone);
      this.#gone = 0;
    }
    return flight;
  }
}
