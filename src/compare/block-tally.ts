import type { BlockCounts } from '../core/evidence.ts';
import { sortedRecord } from './difference-tally.ts';

/**
 * Blocks of one kind in one piece of evidence, at most: each record carries them. Beyond that all blocks become twice as long, two
 * joining into one, as often as it takes: 5 s last for 85 minutes, 160 s for two days.
 */
export const BLOCKS_MAX = 1_024;

/** Adds counts up by blocks of time. Moments may stand still and never go back: a block that has ended does not grow. */
export class BlockTally<Counts extends readonly number[]> {
  #blocks: Map<number, Counts>;
  #lengthMs: number;
  #newest = Number.NEGATIVE_INFINITY;

  /** @param lengthMs of a block, a whole number; blocks of `from` that are longer set it. */
  constructor(lengthMs: number, from: BlockCounts<Counts>) {
    const blocks = readBlocks(from);
    this.#lengthMs = Math.max(lengthMs, ...blocks.map((block) => block.lengthMs));
    this.#blocks = joined(blocks, this.#lengthMs);
    this.#newest = Math.max(...this.#blocks.keys());
  }

  /**
   * From when on time continues after a restart, in milliseconds since 1970: the newest block goes on if the wall clock is still in
   * it; if it stands earlier (it was ahead before, or is behind now), the next block begins. Minus infinity without blocks.
   */
  resumesAt(wallMs: number): number {
    const newestMs = this.#newest * this.#lengthMs;
    return wallMs < newestMs ? newestMs + this.#lengthMs : newestMs;
  }

  /** @param atMs milliseconds since 1970. */
  add(atMs: number, counts: Counts): void {
    const number = Math.max(this.#newest, Math.floor(atMs / this.#lengthMs));
    this.#newest = number;
    addTo(this.#blocks, number, counts);
    while (this.#blocks.size > BLOCKS_MAX) this.#double();
  }

  snapshot(): BlockCounts<Counts> {
    return record(this.#blocks, this.#lengthMs);
  }

  #double(): void {
    const blocks = readBlocks(this.snapshot());
    this.#lengthMs *= 2;
    this.#blocks = joined(blocks, this.#lengthMs);
    this.#newest = Math.floor(this.#newest / 2);
  }
}

/** The blocks of both, added; the shorter ones join into blocks of the length of the longest. */
export function mergeBlocks<Counts extends readonly number[]>(
  a: BlockCounts<Counts>,
  b: BlockCounts<Counts>,
): BlockCounts<Counts> {
  const blocks = [...readBlocks(a), ...readBlocks(b)];
  let lengthMs = blocks.reduce((longest, block) => Math.max(longest, block.lengthMs), 0);
  let merged = joined(blocks, lengthMs);
  while (merged.size > BLOCKS_MAX) {
    lengthMs *= 2;
    merged = joined(blocks, lengthMs);
  }
  return record(merged, lengthMs);
}

type Block<Counts> = {
  readonly lengthMs: number;
  readonly number: number;
  readonly counts: Counts;
};

function readBlocks<Counts extends readonly number[]>(
  blocks: BlockCounts<Counts>,
): readonly Block<Counts>[] {
  return Object.entries(blocks).map(([key, counts]) => {
    const [lengthMs = Number.NaN, number = Number.NaN] = key.split(':').map(Number);
    return { lengthMs, number, counts };
  });
}

function joined<Counts extends readonly number[]>(
  blocks: readonly Block<Counts>[],
  lengthMs: number,
): Map<number, Counts> {
  const sums = new Map<number, Counts>();
  for (const block of blocks) {
    addTo(sums, Math.floor((block.number * block.lengthMs) / lengthMs), block.counts);
  }
  return sums;
}

function addTo<Counts extends readonly number[]>(
  sums: Map<number, Counts>,
  number: number,
  counts: Counts,
): void {
  const present = sums.get(number);
  const sum = present?.map((count, index) => count + (counts[index] ?? 0));
  // As many counts as there were: a tuple added to another of its length is one of that length.
  sums.set(number, (sum as readonly number[] as Counts | undefined) ?? counts);
}

function record<Counts extends readonly number[]>(
  blocks: ReadonlyMap<number, Counts>,
  lengthMs: number,
): BlockCounts<Counts> {
  return sortedRecord(
    [...blocks].map(([number, counts]) => [`${lengthMs}:${number}`, counts] as const),
  );
}
