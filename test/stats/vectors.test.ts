/**
 * Published values, each with where it comes from. `confseq` is the authors' library to the papers by Howard and others (MIT
 * licence); its unit tests say that their values come from a separate implementation in R, and ask for 1e-5.
 */
import t, { type Test } from 'tap';
import {
  armFromProportion,
  armFromSums,
  relativeDifference,
} from '../../src/stats/asymptotic-sequence.ts';
import { averageEffects } from '../../src/stats/average-effect.ts';
import { bernoulliInterval } from '../../src/stats/bernoulli-interval.ts';
import { quantileInterval, quantileRadius } from '../../src/stats/quantiles.ts';
import {
  bestRho,
  betaBinomialMixture,
  boundaryAt,
  gammaExponentialMixture,
  type UniformBoundary,
} from '../../src/stats/uniform-boundaries.ts';
import { ATE_ROWS } from './average-effect-rows.ts';

const TUNING = { vOpt: 100, alphaOpt: 0.05 };

function near(t: Test, ...claim: [found: number, expected: number, within: number, what: string]) {
  const [found, expected, tolerance, what] = claim;
  t.ok(
    Math.abs(found - expected) <= tolerance,
    `${what}: found ${found}, expected ${expected} to ${tolerance}`,
  );
}

t.test(
  'mixture boundaries give the values of confseq test/uniform_boundaries_unittest.cpp',
  (t) => {
    near(t, bestRho(TUNING), 12.60056, 1e-5, 'best rho');
    const range = { g: 0.2, h: 0.8 };
    const rows: [string, UniformBoundary, number, number][] = [
      ['gamma-exponential', gammaExponentialMixture(TUNING, 2), -0.2490165, 33.02017],
      ['beta-binomial, two-sided', betaBinomialMixture(TUNING, range, 'two'), -0.6941012, 31.4308],
      [
        'beta-binomial, one-sided',
        betaBinomialMixture(TUNING, range, 'one'),
        -0.07134019,
        28.41238,
      ],
    ];
    for (const [name, boundary, logMixture, bound] of rows) {
      near(t, boundary.logMixture(10, 100), logMixture, 1e-5, `${name}, log mixture`);
      near(t, boundaryAt(boundary, 100, 0.05), bound, 1e-5, `${name}, bound`);
    }
    const oneSided = betaBinomialMixture(TUNING, range, 'one');
    near(t, boundaryAt(oneSided, 0.32, 0.05), 1.6, 1e-5, 'the greatest sum, where none is enough');
    t.end();
  },
);

t.test('rate intervals give the values of confseq test/uniform_boundaries_unittest.cpp', (t) => {
  for (const [successes, trials, tOpt, lower, upper] of [
    [700, 1000, 100, 0.651629, 0.745949],
    [15, 50, 50, 0.129556, 0.511896],
    [5, 50, 50, 0.013021, 0.269264],
    [1, 50, 50, 0, 0.13489],
    [1, 2, 50, 0, 1],
    [100, 200, 1, 0.328923, 0.671076],
    [0, 1, 50, 0, 1],
    [1, 1, 50, 0, 1],
  ] as const) {
    const found = bernoulliInterval(successes, trials, { alpha: 0.05, tOpt });
    near(t, found.lower, lower, 1e-5, `${successes} of ${trials}, lower end`);
    near(t, found.upper, upper, 1e-5, `${successes} of ${trials}, upper end`);
  }
  t.end();
});

t.test('average effects give the rows of confseq demo/ate_data.csv', (t) => {
  const found = averageEffects(ATE_ROWS, {
    propensity: 0.5,
    lower: 0,
    upper: 1,
    expectedVariance: 0.2 * 0.8,
    tOpt: 50,
    alpha: 0.05,
    alphaOpt: 0.05,
  });
  t.equal(found.length, 1000);
  for (const [row, estimate, lower, upper, pValue] of [
    [1, 1, -1, 1, 0.983920078788205],
    [100, 0.106826716602117, -0.355019952853719, 0.568673386057953, 1],
    [250, 0.0839954405798236, -0.178556479906351, 0.346547361065998, 1],
    [500, 0.126626407227084, -0.0478456727926822, 0.30109848724685, 0.307998819954753],
    [750, 0.154771304247189, 0.0153508071539239, 0.294191801340454, 0.00753787388765617],
    [1000, 0.174591114336686, 0.0557940255263216, 0.29338820314705, 7.33500456673828e-5],
  ] as const) {
    const at = found[row - 1];
    near(t, at?.estimate ?? Number.NaN, estimate, 1e-9, `row ${row}, estimate`);
    near(t, at?.lower ?? Number.NaN, lower, 1e-9, `row ${row}, lower end`);
    near(t, at?.upper ?? Number.NaN, upper, 1e-9, `row ${row}, upper end`);
    near(t, at?.pValue ?? Number.NaN, pValue, 1e-9, `row ${row}, p-value`);
  }
  t.end();
});

t.test('asymptotic sequences give the golden values of the PostHog tests', (t) => {
  const means = relativeDifference(
    armFromSums(2500, 135_000, 3500),
    armFromSums(1400, 52_000, 3000),
    {
      alpha: 0.05,
      tuning: 1000,
    },
  );
  near(t, means.estimate, 0.53061, 5e-6, 'means, estimate');
  near(t, means.lower, -0.5323, 5e-6, 'means, lower end');
  near(t, means.upper, 1.59353, 5e-6, 'means, upper end');
  near(t, means.standardError, 0.33368, 5e-6, 'means, standard error');
  t.equal(means.pValue, 1);
  const shares = relativeDifference(armFromProportion(2600, 3500), armFromProportion(1450, 3050), {
    alpha: 0.05,
    tuning: 5000,
  });
  near(t, shares.estimate, 0.56256, 5e-6, 'proportions, estimate');
  near(t, shares.lower, 0.46064, 5e-6, 'proportions, lower end');
  near(t, shares.upper, 0.66448, 5e-6, 'proportions, upper end');
  near(t, shares.standardError, 0.03354, 5e-6, 'proportions, standard error');
  near(t, shares.pValue * 1e56, 6, 1, 'proportions, p-value times 1e56');
  t.end();
});

t.test('an extreme of the sample is never passed off as a bound of a quantile', (t) => {
  // Least sample sizes with a finite upper end, alpha 0.025. An earlier computation on a coarser list of sizes found 73, 229,
  // 351, 960, 5157 and 35, 118, 186, 584, 4151: the first of its sizes at or after these.
  for (const [tOpt, sizes] of [
    [5000, [73, 229, 348, 943, 5074]],
    [1000, [35, 117, 185, 584, 4129]],
  ] as const) {
    [0.5, 0.9, 0.95, 0.99, 0.999].forEach((p, index) => {
      const size = sizes[index] ?? 0;
      const options = { p, tOpt, alphaOpt: 0.05 };
      t.equal(quantileRadius(size - 1, 0.025, options), undefined, `p${p}, not yet at ${size - 1}`);
      t.not(quantileRadius(size, 0.025, options), undefined, `p${p}, from ${size}`);
    });
  }
  const values = Array.from({ length: 50 }, (_, i) => i);
  const options = { p: 0.99, tOpt: 5000, alphaOpt: 0.05 };
  const early = quantileInterval(values, 0.025, options);
  // The sample's maximum would be below the quantile with probability 0.99^50 = 0.605.
  t.equal(early.upper, Number.POSITIVE_INFINITY);
  t.ok(Number.isFinite(early.lower));
  t.same(quantileInterval([], 0.025, options), {
    lower: Number.NEGATIVE_INFINITY,
    upper: Number.POSITIVE_INFINITY,
  });
  t.end();
});
