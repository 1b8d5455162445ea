import fc from 'fast-check';
import t from 'tap';
import { logBeta, logRegularisedBeta } from '../../src/stats/beta.ts';
import { logGamma, logGammaQ } from '../../src/stats/gamma.ts';
import { logSumExp } from '../../src/stats/log-sum-exp.ts';

function isNear(found: number, expected: number, within = 1e-12): boolean {
  return Math.abs(found - expected) <= within * Math.max(1, Math.abs(expected));
}

t.test('gamma and beta have their known values', async (t) => {
  t.ok(isNear(logGamma(5), Math.log(24)));
  t.ok(isNear(logGamma(0.5), Math.log(Math.PI) / 2));
  t.ok(isNear(logGamma(0.1), Math.log(9.513507698668732)));
  t.ok(isNear(logBeta(2, 3), Math.log(1 / 12)));
  t.throws(() => logGamma(0), RangeError);
});

t.test('the upper gamma function of a whole number is a sum of Poisson terms', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0.01, max: 120, noNaN: true }),
      (a, x) => {
        const terms = Array.from({ length: a }, (_, k) => k * Math.log(x) - x - logGamma(k + 1));
        return isNear(logGammaQ(a, x), logSumExp(terms), 1e-9);
      },
    ),
  );
  t.pass();
});

t.test('the incomplete beta function and its complement add up to 1', async (t) => {
  const positive = fc.double({ min: 0.01, max: 500, noNaN: true });
  const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(positive, positive, share, (a, b, x) => {
      const both =
        Math.exp(logRegularisedBeta(a, b, x)) + Math.exp(logRegularisedBeta(b, a, 1 - x));
      return isNear(both, 1, 1e-9);
    }),
  );
  // With b = 1 the beta function is a power.
  t.ok(isNear(logRegularisedBeta(3, 1, 0.2), 3 * Math.log(0.2)));
});

t.test('sums of exponentials neither overflow nor lose the small', async (t) => {
  t.equal(logSumExp([]), Number.NEGATIVE_INFINITY);
  t.equal(logSumExp([Number.NEGATIVE_INFINITY]), Number.NEGATIVE_INFINITY);
  t.ok(isNear(logSumExp([1000, 1000]), 1000 + Math.LN2));
  t.ok(Number.isNaN(logSumExp([0, Number.NaN])));
});
