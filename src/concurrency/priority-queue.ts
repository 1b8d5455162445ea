import { FifoQueue, type QueuePlace } from './fifo-queue.ts';

export type PriorityQueueOptions<T> = {
  /** Levels of urgency, 1 the most urgent; 0 or 1: one FIFO queue. */
  readonly levels: number;
  /** How much earlier than an entry of the next level one of this level counts as having arrived, milliseconds. */
  readonly levelMs: number;
  /** The level of an entry, 1 to `levels`; must not change while it is in the queue. */
  readonly levelOf: (entry: T) => number;
  /** When an entry arrived, milliseconds; must not fall from one `add` to the next. */
  readonly arrivedMs: (entry: T) => number;
};

/**
 * A priority queue with ageing. The rank of an entry is fixed when it arrives: `arrived + (level - 1) * levelMs`. So within a level
 * the order is that of arrival, and no level starves: an entry of level n is overtaken only by entries that arrive within
 * `(n - 1) * levelMs` after it, however many more urgent ones keep coming. Entries may leave from any place at any time.
 */
export class PriorityQueue<T extends QueuePlace> {
  readonly #options: PriorityQueueOptions<T>;
  /** By urgency. */
  readonly #queues: readonly FifoQueue<T>[];
  readonly #mostUrgent: FifoQueue<T>;

  constructor(options: PriorityQueueOptions<T>) {
    this.#options = options;
    this.#mostUrgent = new FifoQueue();
    const others = Array.from(
      { length: Math.max(options.levels, 1) - 1 },
      () => new FifoQueue<T>(),
    );
    this.#queues = [this.#mostUrgent, ...others];
  }

  add(entry: T): void {
    this.#queueOf(entry).add(entry);
  }

  /** False if it is not in the queue. */
  delete(entry: T): boolean {
    return this.#queueOf(entry).delete(entry);
  }

  /** The entry that arrived before all others; undefined: the queue is empty. */
  oldest(): T | undefined {
    const { arrivedMs } = this.#options;
    let oldest: T | undefined;
    for (const { first } of this.#queues) {
      if (first === undefined) continue;
      if (oldest === undefined || arrivedMs(first) < arrivedMs(oldest)) oldest = first;
    }
    return oldest;
  }

  /** In the order of ranks; an entry that leaves meanwhile is skipped. */
  [Symbol.iterator](): Iterator<T> {
    return this.#queues.length === 1 ? this.#mostUrgent[Symbol.iterator]() : this.#byRank();
  }

  #queueOf(entry: T): FifoQueue<T> {
    if (this.#queues.length === 1) return this.#mostUrgent;
    return this.#queues[this.#options.levelOf(entry) - 1] ?? this.#mostUrgent;
  }

  *#byRank(): Generator<T> {
    const { levelMs, arrivedMs } = this.#options;
    const heads: Head<T>[] = [];
    this.#queues.forEach((queue, above) => {
      const rankOf = (entry: T): number => arrivedMs(entry) + above * levelMs;
      const head = headOf({ queue, rest: queue[Symbol.iterator](), rankOf });
      if (head !== undefined) heads.push(head);
    });
    for (let at = firstOf(heads); at >= 0; at = firstOf(heads)) {
      const head = heads[at];
      if (head === undefined) return;
      if (head.queue.has(head.entry)) yield head.entry;
      const next = headOf(head);
      if (next === undefined) heads.splice(at, 1);
      else heads[at] = next;
    }
  }
}

/** A level that is being read, most urgent first among those of one rank. */
type Level<T extends QueuePlace> = {
  readonly queue: Pick<FifoQueue<T>, 'has'>;
  readonly rest: Iterator<T>;
  readonly rankOf: (entry: T) => number;
};
type Head<T extends QueuePlace> = Level<T> & { readonly entry: T; readonly rankMs: number };

function headOf<T extends QueuePlace>({ queue, rest, rankOf }: Level<T>): Head<T> | undefined {
  const { done, value: entry } = rest.next();
  if (done) return undefined;
  return { queue, rest, rankOf, entry, rankMs: rankOf(entry) };
}

/** The index of the lowest rank; -1: there is none. */
function firstOf<T extends QueuePlace>(heads: readonly Head<T>[]): number {
  let first = -1;
  let rankMs = Number.POSITIVE_INFINITY;
  heads.forEach((head, at) => {
    if (head.rankMs >= rankMs) return;
    first = at;
    rankMs = head.rankMs;
  });
  return first;
}
