/** The statistics of load benchmarks: early stopping, intervals of ratios, trends. */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  lateMost,
  lateThatMisses,
  requestsNeeded,
  type TailClaim,
} from '../../src/stats/early-stopping.ts';
import { ratioInterval, studentQuantile } from '../../src/stats/student-interval.ts';
import { endsOf, mannKendallTest, theilSenLine } from '../../src/stats/trend.ts';

function near(t: Test, found: number, expected: number): void {
  const tolerance = 1e-9 * Math.max(1, Math.abs(expected));
  t.ok(Math.abs(found - expected) <= tolerance, `found ${found}, expected ${expected}`);
}

const claims: fc.Arbitrary<TailClaim> = fc.record({
  quantile: fc.constantFrom(0.5, 0.9, 0.95, 0.99, 0.999),
  confidence: fc.constantFrom(0.8, 0.9, 0.95, 0.99, 0.9975),
});

// The constants that mlcommons/endpoints#417 quotes of LoadGen: 459 and 44 without a late one, 661 and 63 in time with one late.
t.test('the requests that a claim needs are those of MLPerf', async (t) => {
  const p99 = { quantile: 0.99, confidence: 0.99 };
  const p90 = { quantile: 0.9, confidence: 0.99 };
  t.equal(requestsNeeded(0, p99), 459);
  t.equal(requestsNeeded(1, p99), 662);
  t.equal(requestsNeeded(0, p90), 44);
  t.equal(requestsNeeded(1, p90), 64);
});

// From scipy 1.17.1: stats.binom.cdf and .sf, searched.
t.test('the late ones that are allowed, and those that disprove, are those of scipy', async (t) => {
  const rows = [
    { requests: 1000, quantile: 0.9, confidence: 0.99, most: 78, misses: 124 },
    { requests: 1000, quantile: 0.99, confidence: 0.99, most: 2, misses: 19 },
    { requests: 1000, quantile: 0.999, confidence: 0.99, most: undefined, misses: 5 },
    { requests: 5000, quantile: 0.99, confidence: 0.95, most: 38, misses: 63 },
    { requests: 5000, quantile: 0.999, confidence: 0.95, most: 1, misses: 10 },
    { requests: 20_000, quantile: 0.9, confidence: 0.99, most: 1901, misses: 2100 },
    { requests: 20_000, quantile: 0.999, confidence: 0.99, most: 9, misses: 32 },
  ];
  for (const { requests, most, misses, ...claim } of rows) {
    t.equal(lateMost(requests, claim), most, `most late of ${requests}`);
    t.equal(lateThatMisses(requests, claim), misses, `disproving of ${requests}`);
  }
  t.equal(requestsNeeded(10, { quantile: 0.99, confidence: 0.95 }), 1693);
  t.equal(requestsNeeded(5, { quantile: 0.999, confidence: 0.99 }), 13_105);
});

t.test('requests needed and late ones allowed are each other turned round', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), claims, (late, claim) => {
      const requests = requestsNeeded(late, claim);
      const allowed = lateMost(requests - 1, claim) ?? -1;
      return lateMost(requests, claim) === late && allowed < late;
    }),
    { numRuns: 40 },
  );
  t.pass();
});

t.test('no load both shows a claim and disproves it', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), claims, (requests, claim) => {
      const most = lateMost(requests, claim) ?? -1;
      const misses = lateThatMisses(requests, claim) ?? Number.POSITIVE_INFINITY;
      return most < requests * (1 - claim.quantile) && misses > most + 1;
    }),
    { numRuns: 60 },
  );
  t.pass();
});

t.test('a claim that is none is refused', async (t) => {
  t.throws(() => requestsNeeded(0, { quantile: 1, confidence: 0.99 }), /quantile must be/);
  t.throws(() => lateMost(10, { quantile: 0.9, confidence: 0 }), /confidence must be/);
});

// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, three decimals; then scipy 1.17.1, stats.t.ppf.
t.test("Student's quantiles are those of the tables", async (t) => {
  for (const [probability, degrees, expected] of [
    [0.9, 2, 1.886],
    [0.975, 1, 12.706],
    [0.95, 5, 2.015],
    [0.975, 10, 2.228],
    [0.99, 30, 2.457],
    [0.999, 100, 3.174],
  ] as const) {
    t.equal(Number(studentQuantile(probability, degrees).toFixed(3)), expected);
  }
  near(t, studentQuantile(0.975, 1), 12.706204736174694);
  near(t, studentQuantile(0.995, 29), 2.756385903670605);
  near(t, studentQuantile(0.975, 2.5), 3.5746548420036817);
  near(t, studentQuantile(0.025, 9), -2.262157162798205);
  t.equal(studentQuantile(0.5, 3), 0);
  t.throws(() => studentQuantile(1, 3), RangeError);
});

t.test('the interval of ratios is the t interval of their logarithms', async (t) => {
  const found = ratioInterval([1.1, 1.2, 1.05, 1.15], 0.95);
  near(t, found.estimate, 1.1236091512399002);
  near(t, found.lower, 1.0254215917303147);
  near(t, found.upper, 1.2311984991652924);
  for (const wrong of [[1.1], [1, 0], [1, Number.NaN], [1, Number.POSITIVE_INFINITY]]) {
    t.throws(() => ratioInterval(wrong, 0.95), RangeError, String(wrong));
  }
});

t.test('turning ratios upside down turns their interval upside down', async (t) => {
  const ratios = fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), {
    minLength: 2,
    maxLength: 20,
  });
  fc.assert(
    fc.property(ratios, (some) => {
      const found = ratioInterval(some, 0.9);
      const turned = ratioInterval(
        some.map((ratio) => 1 / ratio),
        0.9,
      );
      const same = (a: number, b: number): boolean => Math.abs(Math.log(a * b)) < 1e-6;
      return same(found.estimate, turned.estimate) && same(found.lower, turned.upper);
    }),
  );
  t.pass();
});

// From pymannkendall 1.4.3 (original_test) and scipy 1.17.1 (stats.theilslopes).
t.test('trends are those of pymannkendall and scipy, ties and all', async (t) => {
  const rows = [
    {
      values: [10, 22, 21, 30, 22, 30, 40, 40],
      test: { s: 21, z: 2.533201985524494, pValue: 0.011302580306322252 },
      line: { slope: 3.9, intercept: 12.35 },
    },
    {
      values: [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3],
      test: { s: 48, z: 2.142273367256243, pValue: 0.032171490663501334 },
      line: { slope: 0.4, intercept: 2 },
    },
    {
      values: [20, 18, 17, 17, 15, 16, 12, 13, 9, 10],
      test: { s: -38, z: -3.322698087495336, pValue: 0.0008915134791795953 },
      line: { slope: -1.1111111111111112, intercept: 20.5 },
    },
  ];
  for (const { values, test, line } of rows) {
    const found = mannKendallTest(values);
    t.equal(found.s, test.s);
    near(t, found.z, test.z);
    near(t, found.pValue, test.pValue);
    const fitted = theilSenLine(values.map((y, x) => ({ x, y })));
    near(t, fitted.slope, line.slope);
    near(t, fitted.intercept, line.intercept);
  }
});

t.test('a series without change has no trend, and one value moves no line', async (t) => {
  t.same(mannKendallTest([4, 4, 4, 4]), { s: 0, z: 0, pValue: 1 });
  t.same(mannKendallTest([]), { s: 0, z: 0, pValue: 1 });
  const points = Array.from({ length: 21 }, (_, x) => ({ x, y: x === 7 ? 1e6 : 3 + 2 * x }));
  near(t, theilSenLine(points).slope, 2);
  t.throws(() => theilSenLine([{ x: 1, y: 2 }]), RangeError);
  const step = [0, 0, 0, 0, 0, 0, 0, 0, 1, 5].map((y, x) => ({ x, y }));
  t.same(theilSenLine(step).slope, 0, 'which is why the ends are looked at too');
  t.same(endsOf(step, 0.3, 'median'), { from: 0, to: 1 });
  t.same(endsOf(step, 0.3, 'mean'), { from: 0, to: 2 });
  t.throws(() => endsOf([], 0.2, 'mean'), RangeError);
});

t.test('a trend turned round is the same trend with the other sign', async (t) => {
  const values = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(values, (series) => {
      const [there, back] = [mannKendallTest(series), mannKendallTest(series.toReversed())];
      return there.s === -back.s && there.pValue === back.pValue && there.pValue <= 1;
    }),
  );
  t.pass();
});
