import type { ExampleHead } from './example.ts';
import { differenceSize } from './example-sampler.ts';

/** `largest`: by how far the answers differ. `random`: the uniform sample, in an order that has nothing to do with anything. */
export type ExampleOrder = 'largest' | 'random' | 'newest';

export type ListQuery = {
  readonly rolloutId?: string | undefined;
  readonly slice?: Readonly<Record<string, string>> | undefined;
  readonly order: ExampleOrder;
  readonly limit: number;
};

type Compare = (a: ExampleHead, b: ExampleHead) => number;

const ORDERS: Readonly<Record<ExampleOrder, Compare>> = {
  largest: (a, b) => bySize(b, a) || b.atMs - a.atMs,
  random: (a, b) => a.keys.sample - b.keys.sample,
  newest: (a, b) => b.atMs - a.atMs,
};

/** The examples that are asked for. `random` gives the random sample alone, so that shares can be estimated from it. */
export function listed(
  heads: readonly ExampleHead[],
  { rolloutId, slice = {}, order, limit }: ListQuery,
): readonly ExampleHead[] {
  const wanted = Object.entries(slice);
  return heads
    .filter((head) => rolloutId === undefined || head.rolloutId === rolloutId)
    .filter((head) => order !== 'random' || head.keptFor.includes('random'))
    .filter((head) => order !== 'largest' || differenceSize(head).size > 0)
    .filter(({ attributes }) =>
      wanted.every(
        ([name, value]) => Object.hasOwn(attributes, name) && attributes[name] === value,
      ),
    )
    .sort(ORDERS[order])
    .slice(0, limit);
}

/**
 * What is worth least first: of other rollouts than this, the oldest; of this one, what is last in the random sample, then what
 * differs least.
 */
export function byWorth(rolloutId: string | undefined): Compare {
  const rank = (head: ExampleHead): number => {
    if (head.rolloutId !== rolloutId) return 0;
    return head.keptFor.includes('largest') ? 2 : 1;
  };
  return (a, b) => {
    const ranked = rank(a) - rank(b);
    if (ranked !== 0) return ranked;
    if (rank(a) === 0) return a.atMs - b.atMs;
    return rank(a) === 1 ? b.keys.sample - a.keys.sample : bySize(a, b) || a.atMs - b.atMs;
  };
}

function bySize(a: ExampleHead, b: ExampleHead): number {
  const [left, right] = [differenceSize(a), differenceSize(b)];
  return left.size - right.size || left.distance - right.distance;
}
