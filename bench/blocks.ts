/** The middle, and the spread around it: the figure of each block, sorted. */
export type Spread = {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly blocks: readonly number[];
};

/** Median with the quartiles, which say how far one block may be from another on this machine. */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    blocks: figures,
  };
}

/** The figures of each kind, in the order of the rounds. */
export type Rounds<Kind extends string, Figure> = Readonly<Record<Kind, readonly Figure[]>>;

/**
 * Measures the kinds in turn, over and over, so that other work of the machine affects all of them alike. Every second
 * round runs backwards, so that a drift within a round does too.
 */
export async function interleave<Kind extends string, Figure>(
  kinds: readonly Kind[],
  rounds: number,
  measure: (kind: Kind, round: number) => Promise<Figure>,
): Promise<Rounds<Kind, Figure>> {
  const figures = Object.fromEntries(kinds.map((kind) => [kind, [] as Figure[]])) as Record<
    Kind,
    Figure[]
  >;
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? kinds : [...kinds].reverse();
    for (const kind of order) figures[kind].push(await measure(kind, round));
  }
  return figures;
}

/** The ratio of each block to the block of the same round. */
export function ratiosOf(
  numerators: readonly number[],
  denominators: readonly number[],
): readonly number[] {
  return numerators.map((numerator, round) => numerator / (denominators[round] ?? Number.NaN));
}

/** The spread of the ratios. */
export function ratioSpread(
  numerators: readonly number[],
  denominators: readonly number[],
): Spread {
  return spreadOf(ratiosOf(numerators, denominators));
}

/** Linear between the two nearest of the sorted figures. */
function quantile(sorted: readonly number[], p: number): number {
  const at = (sorted.length - 1) * p;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
