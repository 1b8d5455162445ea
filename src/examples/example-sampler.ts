/**
 * Chooses which compared requests of a rollout are kept, one at a time, in constant memory:
 *
 * - The largest differences of each part of its time, so that they are not all of one minute: the time is divided into up to
 *   `BLOCKS` blocks, each with its `BLOCK_PLACES` largest; when the rollout outgrows them, a block becomes twice as long.
 *   Differences that are equal have the order of a random number, so that none is preferred for having come first.
 * - A uniform random sample of all pairs: those with the `SAMPLE_PLACES` smallest of as many random numbers as there are pairs
 *   (bottom-k sampling). The numbers are kept with the examples, so the sample stays uniform over restarts.
 *
 * What was evicted, forgotten or lost leaves its place to nothing that was seen before: the sample is then smaller, and still uniform
 * over all pairs but those.
 */
import type { Random } from '../core/random.ts';
import type { ExampleHead } from './example.ts';

const BLOCKS = 8;
const BLOCK_PLACES = 8;
const SAMPLE_PLACES = 64;
const FIRST_BLOCK_MS = 60_000;

/** More than any score: one version answered and the other did not. */
const FAILURE_SIZE = 2;

/** How far two answers differ, for the order of examples: by size, then by distance. 0: they do not. */
export type DifferenceSize = { readonly size: number; readonly distance: number };

/** Of a comparison: a failure of one side only is more than any score. */
export function differenceSize({
  score,
  difference,
  distances,
}: Pick<ExampleHead, 'score' | 'difference' | 'distances'>): DifferenceSize {
  const size = score ?? (difference === 'failure' ? FAILURE_SIZE : 0);
  if (size <= 0) return NO_DIFFERENCE;
  const known = Object.values(distances ?? {}).filter((distance) => !Number.isNaN(distance));
  return { size, distance: known.reduce((most, each) => Math.max(most, each), 0) };
}

const NO_DIFFERENCE: DifferenceSize = { size: 0, distance: 0 };

type Kept = DifferenceSize & { readonly id: string; readonly atMs: number; readonly tie: number };
type Sampled = { readonly id: string; readonly sample: number };

/** What a pair is kept for, and what no longer is. */
export type Choice = {
  readonly isLargest: boolean;
  readonly isRandom: boolean;
  readonly keys: ExampleHead['keys'];
};

/** What the sampler no longer wants. */
export type Displaced = { readonly id: string; readonly for: 'largest' | 'random' };

export type ExampleSamplerOptions = {
  /** When the rollout began, wall clock. */
  readonly startedMs: number;
  readonly random: Random;
};

export class ExampleSampler {
  readonly #options: ExampleSamplerOptions;
  /** By block, each with the smallest difference first. */
  #blocks = new Map<number, Kept[]>();
  #blockMs = FIRST_BLOCK_MS;
  /** Smallest number first. */
  #sample: Sampled[] = [];
  /** Only smaller numbers come into the sample. */
  #sampleBelow = 1;
  #seen = 0;

  constructor(options: ExampleSamplerOptions) {
    this.#options = options;
  }

  /** Pairs until now. */
  get seen(): number {
    return this.#seen;
  }

  /** Of a pair that was compared: whether to keep it; undefined: no. Costs a fraction of a microsecond. */
  consider(size: DifferenceSize, atMs: number): Choice | undefined {
    this.#seen += 1;
    const { random } = this.#options;
    const sample = random.unit();
    const isRandom = sample < this.#sampleBelow;
    if (size.size <= 0 && !isRandom) return undefined;
    const tie = random.unit();
    const isLargest = size.size > 0 && this.#isLarge({ ...size, id: '', atMs, tie });
    return isLargest || isRandom ? { isLargest, isRandom, keys: { sample, tie } } : undefined;
  }

  /** Gives a chosen one its place, and says what has lost its own. */
  take(id: string, choice: Choice, at: DifferenceSize & { readonly atMs: number }): Displaced[] {
    const displaced: Displaced[] = [];
    if (choice.isRandom) displaced.push(...this.#sampled({ id, sample: choice.keys.sample }));
    if (choice.isLargest) displaced.push(...this.#placed({ ...at, id, tie: choice.keys.tie }));
    return displaced;
  }

  /** Takes up what an earlier process kept, and says what has no place. */
  restore(heads: readonly ExampleHead[]): Displaced[] {
    const displaced = heads.flatMap((head) =>
      this.take(
        head.id,
        {
          isLargest: head.keptFor.includes('largest'),
          isRandom: head.keptFor.includes('random'),
          keys: head.keys,
        },
        { ...differenceSize(head), atMs: head.atMs },
      ),
    );
    this.#seen = heads.reduce((most, { seen }) => Math.max(most, seen), this.#seen);
    const last = this.#sample.at(-1);
    // Some were evicted, forgotten or lost.
    if (this.#sample.length < Math.min(SAMPLE_PLACES, this.#seen))
      this.#sampleBelow = last?.sample ?? SAMPLE_PLACES / this.#seen;
    return displaced;
  }

  /** An example is gone. `isEvicted`: for want of room, so a sample of this size is too large. */
  gone(id: string, isEvicted: boolean): void {
    for (const kept of this.#blocks.values()) removeId(kept, id);
    const removed = removeId(this.#sample, id);
    if (isEvicted && removed) this.#sampleBelow = Math.min(this.#sampleBelow, removed.sample);
  }

  #sampled(each: Sampled): Displaced[] {
    insert(this.#sample, each, (a, b) => a.sample - b.sample);
    if (this.#sample.length < SAMPLE_PLACES) return [];
    const over = this.#sample.splice(SAMPLE_PLACES);
    this.#sampleBelow = Math.min(this.#sampleBelow, this.#sample.at(-1)?.sample ?? 0);
    return over.map(({ id }) => ({ id, for: 'random' }));
  }

  #isLarge(each: Kept): boolean {
    const kept = this.#blocks.get(this.#blockOf(each.atMs));
    const least = kept?.[0];
    if (kept === undefined || least === undefined || kept.length < BLOCK_PLACES) return true;
    return bySize(each, least) > 0;
  }

  #placed(each: Kept): Displaced[] {
    const displaced: Kept[] = [];
    while (this.#blockOf(each.atMs) >= BLOCKS) displaced.push(...this.#lengthen());
    displaced.push(...this.#intoBlock(each));
    return displaced.map(({ id }) => ({ id, for: 'largest' }));
  }

  #intoBlock(each: Kept): Kept[] {
    const block = this.#blockOf(each.atMs);
    const kept = this.#blocks.get(block) ?? [];
    this.#blocks.set(block, kept);
    insert(kept, each, bySize);
    return kept.splice(0, Math.max(0, kept.length - BLOCK_PLACES));
  }

  #lengthen(): Kept[] {
    const all = [...this.#blocks.values()].flat();
    this.#blocks = new Map();
    this.#blockMs *= 2;
    return all.flatMap((each) => this.#intoBlock(each));
  }

  #blockOf(atMs: number): number {
    return Math.max(0, Math.floor((atMs - this.#options.startedMs) / this.#blockMs));
  }
}

function bySize(a: Kept, b: Kept): number {
  return a.size - b.size || a.distance - b.distance || a.tie - b.tie;
}

/** Into a short list that is in order. */
function insert<T>(list: T[], item: T, order: (a: T, b: T) => number): void {
  const at = list.findIndex((each) => order(each, item) > 0);
  list.splice(at < 0 ? list.length : at, 0, item);
}

function removeId<T extends { readonly id: string }>(list: T[], id: string): T | undefined {
  const at = list.findIndex((each) => each.id === id);
  return at < 0 ? undefined : list.splice(at, 1)[0];
}
