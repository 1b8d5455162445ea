import type { Random } from '../../core/random.ts';
import type { Spacing } from '../nouns/arrivals.ts';

/**
 * Gaps between arrivals at a rate of one per unit of time; their mean is 1. Evenly spaced ones start in the middle of the
 * first gap, so that any stretch holds as many as the rate says, to rounding.
 */
export function unitGaps(spacing: Spacing, random: Random): () => number {
  switch (spacing.kind) {
    case 'constant': {
      let isFirst = true;
      return () => {
        const gap = isFirst ? 0.5 : 1;
        isFirst = false;
        return gap;
      };
    }
    case 'poisson':
      return () => exponential(random);
    case 'bursty': {
      const { shape } = spacing;
      if (!(shape > 0 && Number.isFinite(shape)))
        throw new RangeError(`expected a shape of bursty arrivals above 0, found ${shape}`);
      return () => gamma(shape, random) / shape;
    }
  }
}

function exponential(random: Random): number {
  return -Math.log(1 - random.unit());
}

/**
 * A draw from the gamma distribution with scale 1. Source: Marsaglia and Tsang, "A simple method for generating gamma
 * variables" (ACM Transactions on Mathematical Software 26(3), 2000), with their section 6 for shapes below 1.
 */
function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.unit()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.unit()) < 0.5 * x * x + d - d * v + d * Math.log(v))
      return d * v;
  }
}

/** Box and Muller, one of the two. */
function normal(random: Random): number {
  return Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random.unit());
}
