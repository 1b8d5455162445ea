import type { Clock } from '../../src/core/clock.ts';

type Event = { readonly atMs: number; readonly order: number; readonly run: () => void };

/** Wall clock at which every simulation begins, so that it has no moment of its own. */
const BEGAN_WALL_MS = 1_700_000_000_000;

/** Time that moves from event to event: hours of traffic pass in a second. What is due at one moment runs in the order of planning. */
export class VirtualTime implements Clock {
  /** A binary heap, the earliest event first. */
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #planned = 0;

  readonly monotonicMs = (): number => this.#nowMs;
  readonly wallMs = (): number => BEGAN_WALL_MS + this.#nowMs;

  /** Runs at a moment of the monotonic clock, or at once if that has passed. */
  at(atMs: number, run: () => void): void {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: this.#planned, run };
    this.#planned += 1;
    let place = this.#heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || isEarlier(above, event)) break;
      this.#heap[place] = above;
      place = parent;
    }
    this.#heap[place] = event;
  }

  /** Runs what is due until then, and stands there. */
  advanceTo(untilMs: number): void {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#removeFirst();
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const a = this.#heap[left];
      if (a === undefined) break;
      const b = this.#heap[left + 1];
      const at = b !== undefined && isEarlier(b, a) ? left + 1 : left;
      const child = this.#heap[at] ?? a;
      if (isEarlier(last, child)) break;
      this.#heap[place] = child;
      place = at;
    }
    this.#heap[place] = last;
  }
}

function isEarlier(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
