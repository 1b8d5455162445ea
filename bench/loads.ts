/** What the generator says of all loads of a suite: how many there were, and how many are in doubt, with the reasons of some. */
export type Loads = {
  readonly run: number;
  readonly inDoubt: number;
  readonly doubts: readonly string[];
};

/** Reasons that are kept, at most. */
export const DOUBTS_KEPT = 3;

export function sumOfLoads(all: readonly Loads[]): Loads {
  const sum = (of: 'run' | 'inDoubt'): number => all.reduce((total, each) => total + each[of], 0);
  const doubts = all.flatMap((each) => each.doubts).slice(0, DOUBTS_KEPT);
  return { run: sum('run'), inDoubt: sum('inDoubt'), doubts };
}
