import { Line } from '../concurrency/fifo-queue.ts';
import type { Entry } from './queue.ts';

/**
 * How much earlier than a request of the next level one of this level counts as having come, milliseconds. While nobody waits
 * longer than this, the more urgent always goes first; a request that waits longer goes before more urgent ones that came later.
 */
export const LEVEL_MS = 250;

/** Levels of urgency: 1 is the most urgent, 0 levels or one are none. */
export type LevelsOptions = {
  readonly levels: number;
  /** The level of a request that names none (0), or one that there is not. */
  readonly defaultLevel: number;
};

/**
 * What waits, in the order of its turns. The turn of a request is fixed when it comes: `arrival + (level - 1) * LEVEL_MS`. So
 * within a level the order is that of arrival, and no request starves: a request of level n is overtaken only by
 * requests that come within `(n - 1) * LEVEL_MS` after it, however many more urgent ones keep coming.
 */
export class Levels {
  readonly #defaultLevel: number;
  /** By urgency. */
  readonly #entries: readonly Line<Entry>[];
  readonly #most: Line<Entry>;

  constructor({ levels, defaultLevel }: LevelsOptions) {
    this.#most = new Line();
    const others = Array.from({ length: Math.max(levels, 1) - 1 }, () => new Line<Entry>());
    this.#entries = [this.#most, ...others];
    this.#defaultLevel = defaultLevel;
  }

  add(entry: Entry): void {
    this.#levelOf(entry).add(entry);
  }

  /** False if it was not waiting. */
  delete(entry: Entry): boolean {
    return this.#levelOf(entry).delete(entry);
  }

  /** The one that came before all others; undefined: none waits. */
  oldest(): Entry | undefined {
    let oldest: Entry | undefined;
    for (const { first } of this.#entries) {
      if (first === undefined) continue;
      if (oldest === undefined || first.enqueuedMs < oldest.enqueuedMs) oldest = first;
    }
    return oldest;
  }

  /** In the order of turns; what leaves meanwhile is not met. */
  [Symbol.iterator](): Iterator<Entry> {
    return this.#entries.length === 1 ? this.#most[Symbol.iterator]() : this.#byTurn();
  }

  #levelOf({ work }: Entry): Line<Entry> {
    if (this.#entries.length === 1) return this.#most;
    return this.#entries[work.priority - 1] ?? this.#entries[this.#defaultLevel - 1] ?? this.#most;
  }

  *#byTurn(): Generator<Entry> {
    const heads: Head[] = [];
    this.#entries.forEach((entries, above) => {
      const head = headOf({ entries, rest: entries[Symbol.iterator](), laterMs: above * LEVEL_MS });
      if (head !== undefined) heads.push(head);
    });
    for (let at = firstOf(heads); at >= 0; at = firstOf(heads)) {
      const head = heads[at];
      if (head === undefined) return;
      if (head.entries.has(head.entry)) yield head.entry;
      const next = headOf(head);
      if (next === undefined) heads.splice(at, 1);
      else heads[at] = next;
    }
  }
}

/** A level that is being read, most urgent first among those of one turn. */
type Level = {
  readonly entries: Pick<Line<Entry>, 'has'>;
  readonly rest: Iterator<Entry>;
  /** By how much the turns of this level come after arrival. */
  readonly laterMs: number;
};
type Head = Level & { readonly entry: Entry; readonly turnMs: number };

function headOf({ entries, rest, laterMs }: Level): Head | undefined {
  const { done, value: entry } = rest.next();
  if (done) return undefined;
  return { entries, rest, laterMs, entry, turnMs: entry.enqueuedMs + laterMs };
}

/** Where the earliest turn is; -1: there is none. */
function firstOf(heads: readonly Head[]): number {
  let first = -1;
  let turnMs = Number.POSITIVE_INFINITY;
  heads.forEach((head, at) => {
    if (head.turnMs >= turnMs) return;
    first = at;
    turnMs = head.turnMs;
  });
  return first;
}
