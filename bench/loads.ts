/** What the generator says of all loads of a suite: how many there were, how many have warnings, and the first few warnings. */
export type Loads = {
  readonly run: number;
  readonly withWarnings: number;
  readonly warnings: readonly string[];
};

/** How many warnings a result keeps. */
export const WARNINGS_KEPT = 3;

export function sumOfLoads(all: readonly Loads[]): Loads {
  const sum = (of: 'run' | 'withWarnings'): number =>
    all.reduce((total, each) => total + each[of], 0);
  const warnings = all.flatMap((each) => each.warnings).slice(0, WARNINGS_KEPT);
  return { run: sum('run'), withWarnings: sum('withWarnings'), warnings };
}
