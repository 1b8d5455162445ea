import { FifoQueue, type QueuePlace } from '../concurrency/fifo-queue.ts';
import { PriorityQueue } from '../concurrency/priority-queue.ts';
import { ServeError } from '../core/errors.ts';
import type { Answer, Planned } from '../core/work.ts';

/**
 * How much earlier than a request of the next level one of this level counts as having arrived, milliseconds. While no request waits
 * longer than this, the more urgent always goes first; one that waits longer goes before more urgent ones that came later.
 */
export const LEVEL_MS = 250;

/** A request in the batcher, from its arrival until it is settled. */
export type Entry = QueuePlace &
  Planned & {
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
  /** Max requests in the queue; beyond: `overloaded`. Triton's max_queue_size. */
  readonly requestsMax: number;
  /** Max tensor bytes in the queue; beyond: `overloaded`. */
  readonly bytesMax: number;
  /** Levels of urgency, 1 the most urgent; default 0: all requests are equal. Triton's `priority_levels`. */
  readonly priorityLevels?: number;
  /** The level of requests that name none, or one that does not exist; default: the least urgent. Triton's `default_priority_level`. */
  readonly defaultPriority?: number;
};

/**
 * The requests that wait for a replica, bounded and in the order in which they should leave: that of arrival, or where there are
 * priority levels, that of the `PriorityQueue`. Entries that must run again are at the front.
 */
export class Queue {
  readonly #limits: QueueLimits;
  readonly #again = new FifoQueue<Entry>();
  readonly #fresh: PriorityQueue<Entry>;
  #size = 0;
  #bytes = 0;
  #rows = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    const { priorityLevels: levels = 0, defaultPriority: defaultLevel = levels } = limits;
    this.#fresh = new PriorityQueue({
      levels,
      levelMs: LEVEL_MS,
      levelOf: ({ work: { priority } }) =>
        priority >= 1 && priority <= levels ? priority : defaultLevel,
      arrivedMs: ({ enqueuedMs }) => enqueuedMs,
    });
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
