/**
 * How many samples a test needs at least, on average, even if it knew the truth beforehand: log(1 / error) over the least
 * divergence between the truth and what is to be refuted (KLinf). No test of that error probability can do with fewer
 * (Wald, "Sequential tests of statistical hypotheses", 1945; Agrawal, Koolen and Juneja, arXiv 2008.07606, for bounded values).
 */

export type Finding = 'nonInferior' | 'worse';

/** A value and its probability. */
export type Distribution = readonly (readonly [value: number, probability: number])[];

export type MeanTruth = {
  readonly truth: Distribution;
  readonly lower: number;
  readonly upper: number;
  readonly margin: number;
  readonly finding: Finding;
  /** The probability that the finding may be wrong with. */
  readonly error: number;
};

/** Samples until the mean of bounded values is shown to be on its side of the margin. */
export function limitOfMean({ truth, lower, upper, margin, finding, error }: MeanTruth): number {
  const sign = finding === 'worse' ? 1 : -1;
  const greatest = finding === 'worse' ? 1 / (margin - lower) : 1 / (upper - margin);
  const growth = (bet: number): number =>
    truth.reduce(
      (sum, [value, probability]) =>
        probability === 0 ? sum : sum + probability * Math.log1p(sign * bet * (value - margin)),
      0,
    );
  // The dual form of KLinf: the growth of the best constant bet. It is concave in the bet.
  const best = leastAt((bet) => -growth(bet), 0, greatest * (1 - 1e-12));
  return Math.log(1 / error) / growth(best);
}

export type LinearTruth = {
  /** Shares of bad units. */
  readonly candidate: number;
  readonly reference: number;
  /** The probability that a unit is the candidate's. */
  readonly odds: number;
  readonly ratio: number;
  readonly absolute: number;
  readonly finding: Finding;
  readonly error: number;
};

/** Units of both arms until `candidate <= ratio x reference + absolute` is shown, or refuted. */
export function limitOfLinear(truth: LinearTruth): number {
  const { candidate, reference, odds, ratio, absolute, error } = truth;
  const divergence = (at: number): number =>
    odds * bernoulli(candidate, Math.min(1, ratio * at + absolute)) +
    (1 - odds) * bernoulli(reference, at);
  // Both sides of the claim meet at the boundary, and the divergence is convex along it.
  const nearest = leastAt(divergence, 0, (1 - absolute) / ratio);
  return Math.log(1 / error) / divergence(nearest);
}

/** Kullback-Leibler divergence between two coins, in nats. */
function bernoulli(p: number, q: number): number {
  const part = (a: number, b: number): number => (a === 0 ? 0 : a * Math.log(a / b));
  return part(p, q) + part(1 - p, 1 - q);
}

/** Where a function that falls and then rises is least: golden section. */
function leastAt(of: (x: number) => number, low: number, high: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  for (let round = 0; round < 200; round += 1) {
    const [left, right] = [b - ratio * (b - a), a + ratio * (b - a)];
    if (of(left) <= of(right)) b = right;
    else a = left;
  }
  return (a + b) / 2;
}
