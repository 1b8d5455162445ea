import { seededRandom } from '../../core/random.ts';
import type { Arrivals } from '../nouns/arrivals.ts';
import type { Measured } from '../nouns/result.ts';

/** Which of the two that a bench may compare; A alone where there is only one. */
export type Arm = 'A' | 'B';

/** One load, as a mode orders it. What is sent, and where, is the bench's own affair. */
export type LoadOrder = {
  readonly arrivals: Arrivals;
  /** Of the whole load, warm-up included. */
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly seed: number;
  /** undefined: the bench's own. */
  readonly deadlineMs?: number | undefined;
};

/** What the modes need: a way to load an arm, and a listener for progress lines. */
export type Bench = {
  /** `watch` is called a few times a second while the load runs, with the milliseconds since its start. */
  load(arm: Arm, order: LoadOrder, watch?: (elapsedMs: number) => void): Promise<Measured>;
  /** Takes one line of plain words. */
  print(line: string): void;
  /** Once it aborts no further load starts, and the mode rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
};

/** Orders a load, unless the bench was stopped, before it or during it: half a load shows nothing. */
export async function loadOnce(
  bench: Bench,
  arm: Arm,
  { watch, ...order }: LoadOrder & { readonly watch?: (elapsedMs: number) => void },
): Promise<Measured> {
  bench.signal?.throwIfAborted();
  const measured = await bench.load(arm, order, watch);
  bench.signal?.throwIfAborted();
  return measured;
}

/** Seeds for one load after the other, all from one: the same one has the same loads. */
export function seedsFrom(seed: number): () => number {
  const random = seededRandom(seed);
  return () => random.integer(2 ** 31);
}
