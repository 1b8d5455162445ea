/** Factor between one rate and the next while the search is still climbing or falling. */
const STEP = 1.3;
/** Halvings of the last step: the rate is found to within 7 %. */
const HALVINGS = 2;
const FALLS_MAX = 12;
const CLIMBS_MAX = 12;
/** What a rate that did not hold when it was confirmed is lowered by. */
const LOWERED = 0.87;
const CONFIRMATIONS_MAX = 12;

export type RateSearch = {
  /** Where the search starts, per second. */
  readonly from: number;
  /** Loads so much and says whether it was good enough. A rate that was not is asked for once more. */
  readonly isGood: (perSecond: number, isConfirmation: boolean) => Promise<boolean>;
};

/**
 * The highest rate that is good enough: first by steps up or down, then by halving the last step, and in the end
 * confirmed. A rate that does not hold then is lowered until it does. Undefined where none was found. A rate fails only
 * where two loads of it do: one alone may have been disturbed.
 */
export async function highestRate({ from, isGood }: RateSearch): Promise<number | undefined> {
  const search: RateSearch = {
    from,
    isGood: async (...load) => (await isGood(...load)) || (await isGood(...load)),
  };
  const bracket = await bracketOf(search);
  if (bracket === undefined) return undefined;
  let { good, bad } = bracket;
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = Math.sqrt(good * bad);
    if (await search.isGood(middle, false)) good = middle;
    else bad = middle;
  }
  for (let tries = 0; tries < CONFIRMATIONS_MAX; tries += 1) {
    if (await search.isGood(good, true)) return good;
    good *= LOWERED;
  }
  return undefined;
}

type Bracket = { good: number; bad: number };

async function bracketOf({ from, isGood }: RateSearch): Promise<Bracket | undefined> {
  let rate = from;
  if (await isGood(rate, false)) {
    for (let climbs = 0; climbs < CLIMBS_MAX; climbs += 1) {
      const higher = rate * STEP;
      if (!(await isGood(higher, false))) return { good: rate, bad: higher };
      rate = higher;
    }
    return undefined;
  }
  for (let falls = 0; falls < FALLS_MAX; falls += 1) {
    const lower = rate / STEP;
    if (await isGood(lower, false)) return { good: lower, bad: rate };
    rate = lower;
  }
  return undefined;
}
