/**
 * Published values, each with where it comes from. `confseq` is the authors' library to the papers by Howard and others (MIT
 * licence); its unit tests say that their values come from a separate implementation in R, and ask for 1e-5.
 */
import t, { type Test } from 'tap';
import { bernoulliInterval } from '../../src/stats/bernoulli-interval.ts';
import { bestRho, betaBinomialMixture } from '../../src/stats/uniform-boundaries.ts';

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
    for (const [sides, logMixture] of [
      ['two', -0.6941012],
      ['one', -0.07134019],
    ] as const) {
      const boundary = betaBinomialMixture(TUNING, range, sides);
      near(t, boundary.logMixture(10, 100), logMixture, 1e-5, `log mixture, ${sides}-sided`);
    }
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
