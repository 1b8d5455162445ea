import { Line, type Standing } from '../concurrency/fifo-queue.ts';
import { ServeError } from '../core/errors.ts';
import { Levels } from './levels.ts';
import type { Answer, Work } from './work.ts';

/** A request in the batcher, from its arrival until it is settled. */
export type Entry = Standing & {
  readonly work: Work;
  readonly rows: number;
  readonly bytes: number;
  readonly enqueuedMs: number;
  /** Its batch failed, so it runs by itself: neighbours must not suffer from each other. */
  alone: boolean;
  settled: boolean;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: ServeError) => void;
};

export type QueueLimits = {
  readonly requestsMax: number;
  readonly bytesMax: number;
  /** Levels of urgency, 1 the most urgent; 0 or absent: all requests are alike. */
  readonly priorityLevels?: number;
  /** The level of requests that name none, or one that there is not; absent: the least urgent. */
  readonly defaultPriority?: number;
};

/**
 * What waits for a replica, bounded and in the order in which it should leave: that of arrival, or where there are levels of
 * urgency, that of turns (`Levels`). Entries that must run again stand at the front.
 */
export class Queue {
  readonly #limits: QueueLimits;
  readonly #again = new Line<Entry>();
  readonly #fresh: Levels;
  #size = 0;
  #bytes = 0;
  #rows = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    const { priorityLevels: levels = 0, defaultPriority: defaultLevel = levels } = limits;
    this.#fresh = new Levels({ levels, defaultLevel });
  }

  get size(): number {
    return this.#size;
  }

  get rows(): number {
    return this.#rows;
  }

  /** The one that should leave next. */
  get first(): Entry | undefined {
    for (const entry of this) return entry;
    return undefined;
  }

  /** When the one that waits longest came, but for those that must run again; undefined: none waits. */
  get oldestMs(): number | undefined {
    return this.#fresh.oldest()?.enqueuedMs;
  }

  /** Throws ServeError `overloaded` where there is no room. */
  push(entry: Entry, retryAfterMs: number): void {
    const { requestsMax, bytesMax } = this.#limits;
    if (this.#size >= requestsMax) {
      throw new ServeError(
        'overloaded',
        `the queue is full: at most ${requestsMax} requests may wait`,
        { retryAfterMs },
      );
    }
    if (this.#bytes + entry.bytes > bytesMax) {
      throw new ServeError(
        'overloaded',
        `the queue is full: at most ${bytesMax} bytes may wait, found ${this.#bytes} and ${entry.bytes} more`,
        { retryAfterMs },
      );
    }
    this.#fresh.add(entry);
    this.#count(entry, 1);
  }

  /** Back to the front, without asking for room: it had its place before. */
  pushAgain(entry: Entry): void {
    this.#again.add(entry);
    this.#count(entry, 1);
  }

  /** False if it was not waiting. */
  delete(entry: Entry): boolean {
    if (!this.#fresh.delete(entry) && !this.#again.delete(entry)) return false;
    this.#count(entry, -1);
    return true;
  }

  *[Symbol.iterator](): Iterator<Entry> {
    yield* this.#again;
    yield* this.#fresh;
  }

  #count(entry: Entry, sign: 1 | -1): void {
    this.#size += sign;
    this.#bytes += sign * entry.bytes;
    this.#rows += sign * entry.rows;
  }
}
