/**
 * What makes every bet valid is one step: under its null it gains nothing on average, and it never falls below zero. Both are
 * checked exactly, over random ranges, margins and two-valued distributions with the margin as their mean (any distribution
 * is a mixture of such).
 */
import fc from 'fast-check';
import t from 'tap';
import {
  harmOfHalf,
  harmOfMean,
  harmOfRate,
  safeOfMean,
  safeOfRate,
} from '../../src/stats/bets.ts';
import { harmOfEvents, safeOfEvents } from '../../src/stats/conditional-events.ts';
import { halfAndHalf, logEvidence, type Mixture, samplesToGo } from '../../src/stats/mixture.ts';
import { logSampleRatioMismatch } from '../../src/stats/sample-ratio.ts';

const inside = fc.double({ min: 0.001, max: 0.999, noNaN: true });

/** The mean of the e-value after one value that is `low` with probability `1 - p`, else `high`. */
function meanEValue(
  at: (value: number) => Mixture,
  ...law: [low: number, high: number, p: number]
) {
  const [low, high, p] = law;
  return (1 - p) * Math.exp(logEvidence(at(low))) + p * Math.exp(logEvidence(at(high)));
}

t.test(
  'bets on means are fair at the margin, and unfair to the player on the null side',
  async (t) => {
    const parts = fc.record({ lower: fc.double({ min: -1, max: 0, noNaN: true }), m: inside });
    fc.assert(
      fc.property(parts, inside, inside, ({ lower, m }, a, b) => {
        const upper = 1;
        const margin = lower + m * (upper - lower);
        const [low, high] = [lower + a * (margin - lower), margin + b * (upper - margin)];
        const atMargin = (margin - low) / (high - low);
        const claim = { lower, upper, margin };
        const harm = (value: number): Mixture => harmOfMean([[value, 1]], claim);
        const safe = (value: number): Mixture => safeOfMean([[value, 1]], claim);
        return (
          Math.abs(meanEValue(harm, low, high, atMargin) - 1) < 1e-9 &&
          Math.abs(meanEValue(safe, low, high, atMargin) - 1) < 1e-9 &&
          meanEValue(harm, low, high, atMargin * 0.9) <= 1 + 1e-12 &&
          meanEValue(safe, low, high, 1 - (1 - atMargin) * 0.9) <= 1 + 1e-12
        );
      }),
    );
    t.pass();
  },
);

t.test('bets on rates and events are fair at the margin', async (t) => {
  fc.assert(
    fc.property(
      inside,
      inside,
      fc.double({ min: 0.2, max: 5, noNaN: true }),
      (rate, odds, ratio) => {
        const events = (test: typeof harmOfEvents) => (candidate: number) =>
          test([{ odds, candidate, reference: 1 - candidate }], ratio);
        const share = (odds * ratio) / (odds * ratio + 1 - odds);
        const means = [
          meanEValue((x) => harmOfRate(x, 1, rate), 0, 1, rate),
          meanEValue((x) => safeOfRate(x, 1, rate), 0, 1, rate),
          meanEValue((x) => harmOfHalf(x, 1), 0, 1, 0.5),
          meanEValue(events(harmOfEvents), 0, 1, share),
          meanEValue(events(safeOfEvents), 0, 1, share),
          (1 - odds) * Math.exp(logSampleRatioMismatch([{ odds, candidate: 0, reference: 1 }])) +
            odds * Math.exp(logSampleRatioMismatch([{ odds, candidate: 1, reference: 0 }])),
        ];
        return means.every((mean) => Math.abs(mean - 1) < 1e-9);
      },
    ),
  );
  t.pass();
});

t.test('counts add: the order and the grouping of values do not matter', async (t) => {
  const counts = fc.array(fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat({ max: 50 })), {
    maxLength: 20,
  });
  const claim = { lower: -1, upper: 1, margin: 0.02 };
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: -1000, max: 1000 })), counts, (steps, more) => {
      const values = [...new Set([...steps, ...more.map(([step]) => step)])].map(
        (step) => [step / 1000, 1 + (step & 7)] as const,
      );
      const one = harmOfMean(values, claim);
      const other = harmOfMean([...values].reverse(), claim);
      return logEvidence(one) === logEvidence(other);
    }),
  );
  t.pass();
});

t.test('a claim that no value can decide is refused', async (t) => {
  t.throws(() => harmOfMean([], { lower: 0, upper: 1, margin: 1 }), RangeError);
  t.throws(() => safeOfMean([], { lower: 0, upper: 1, margin: Number.NaN }), RangeError);
  t.throws(() => safeOfRate(0, 10, 0), RangeError);
  t.throws(() => harmOfEvents([], 0), RangeError);
  t.throws(() => harmOfEvents([{ odds: 1, candidate: 1, reference: 0 }], 2), RangeError);
  t.equal(logEvidence(harmOfRate(10, 10, 0.99)), 0, 'no alternative above it: proves nothing');
});

t.test('as many more samples as it says are enough, and not many too many', async (t) => {
  const share = fc.double({ min: 0, max: 0.02, noNaN: true });
  fc.assert(
    fc.property(share, fc.integer({ min: 20, max: 5_000 }), (rate, samples) => {
      const needed = Math.log(20);
      const at = (n: number): Mixture =>
        halfAndHalf(
          safeOfRate(n * rate, n, 0.01),
          safeOfMean(
            [
              [0, n * (1 - rate)],
              [1, n * rate],
            ],
            { lower: 0, upper: 1, margin: 0.01 },
          ),
        );
      const more = samplesToGo(at(samples), samples, needed);
      if (more === undefined) return rate >= 0.0085;
      if (more === 0) return logEvidence(at(samples)) >= needed;
      return (
        logEvidence(at(samples + more)) >= needed - 1e-6 &&
        logEvidence(at(samples + more - 1)) < needed + 1e-6
      );
    }),
  );
  t.equal(samplesToGo(safeOfRate(0, 0, 0.01), 0, 3), undefined, 'nothing seen');
  t.equal(samplesToGo(safeOfRate(50, 1_000, 0.01), 1_000, 3), undefined, 'nothing grows');
});
