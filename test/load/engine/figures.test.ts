import fc from 'fast-check';
import t from 'tap';
import { Histogram } from '../../../src/load/engine/histogram.ts';
import { type Pulse, progressOf } from '../../../src/load/engine/pulse.ts';
import { reportOf } from '../../../src/load/engine/share.ts';
import { Tally } from '../../../src/load/engine/tally.ts';
import { stretchesOf, TimeLine } from '../../../src/load/engine/time-line.ts';
import { type LoadSeen, notesOf, warningsOf } from '../../../src/load/engine/warnings.ts';

/** From a nanosecond to an hour, evenly by order of magnitude. */
const durations = fc.array(
  fc.double({ min: -6, max: 6.5, noNaN: true }).map((power) => 10 ** power),
  { minLength: 1, maxLength: 300 },
);

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

/** By the nearest rank. */
function exactPercentile(values: readonly number[], percentile: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percentile * sorted.length) / 100 - 1e-9));
  return sorted[rank - 1] ?? Number.NaN;
}

t.test('percentiles are within a thousandth of the exact ones', async () => {
  fc.assert(
    fc.property(durations, fc.double({ min: 0, max: 100, noNaN: true }), (values, percentile) => {
      const exact = exactPercentile(values, percentile);
      const found = histogramOf(values).percentileMs(percentile);
      return Math.abs(found - exact) <= 0.001 * exact;
    }),
  );
});

t.test('mean and greatest are exact, and percentiles never leave the range', async (t) => {
  const histogram = histogramOf([0.1003, 7.7, 1_000.3]);
  t.equal(histogram.meanMs, (0.1003 + 7.7 + 1_000.3) / 3);
  t.equal(histogram.maxMs, 1_000.3);
  t.equal(histogram.percentileMs(100), 1_000.3);
  t.equal(histogramOf([0.1003]).percentileMs(50), 0.1003);
  t.same(
    [-1, 0, 1e-9].map((ms) => histogramOf([ms]).percentileMs(50)),
    [0, 0, 0],
    'none is below zero',
  );
});

t.test('the histogram of two sets is the sum of their histograms, also as plain data', async () => {
  fc.assert(
    fc.property(durations, durations, (a, b) => {
      const merged = histogramOf(a);
      merged.addAll(JSON.parse(JSON.stringify(histogramOf(b).data())));
      const { sumMs, ...union } = histogramOf([...a, ...b]).data();
      const { sumMs: mergedSumMs, ...found } = merged.data();
      return (
        JSON.stringify(found) === JSON.stringify(union) &&
        Math.abs(mergedSumMs - sumMs) <= 1e-9 * sumMs
      );
    }),
  );
});

t.test('a histogram of nothing is all zeros', async (t) => {
  const { count, ...rest } = new Histogram().summary();
  t.equal(count, 0);
  t.ok(Object.values(rest).every((ms) => ms === 0));
  t.same(new Histogram().curve(), []);
  const merged = histogramOf([3]);
  merged.addAll(new Histogram().data());
  t.same(merged.data(), histogramOf([3]).data());
});

t.test('a curve rises to the greatest of all, and is dense where few are above', async (t) => {
  const curve = histogramOf(Array.from({ length: 10_000 }, (_, at) => at + 1)).curve();
  t.ok(
    curve.every(
      ([p, ms], at) =>
        at === 0 || (p > (curve[at - 1]?.[0] ?? 0) && ms >= (curve[at - 1]?.[1] ?? 0)),
    ),
  );
  t.same(curve.at(-1), [100, 10_000]);
  t.ok(curve.filter(([p]) => p > 99).length > 20);
  t.ok(curve.some(([p]) => p === 50) && curve.some(([p]) => p === 75));
});

t.test('tallies add up', async (t) => {
  const [a, b] = [new Tally(), new Tally()];
  a.offered = 3;
  a.succeed({ latencyMs: 4, serviceMs: 2, good: true });
  a.fail('503');
  b.offered = 2;
  b.succeed({ latencyMs: 40, serviceMs: 20, good: false });
  b.fail('503');
  b.fail('timeout');
  a.add(b.data());
  const figures = a.figures(500);
  t.match(figures, { offered: 5, ok: 2, good: 1, errors: { 503: 2, timeout: 1 } });
  t.match(figures, { offeredPerSecond: 10, okPerSecond: 4, goodPerSecond: 2 });
  t.match(figures, { latency: { count: 2, meanMs: 22 }, service: { maxMs: 20 } });
});

t.test('a time line covers the load without a gap, and no interval is partly warm-up', async () => {
  const ms = fc.double({ min: 0, max: 100_000, noNaN: true });
  fc.assert(
    fc.property(ms, ms, (warmupMs, measuredMs) => {
      const durationMs = warmupMs + measuredMs;
      const stretches = stretchesOf({ durationMs, warmupMs });
      let atMs = 0;
      for (const { fromMs, forMs, warmup } of stretches) {
        if (Math.abs(fromMs - atMs) > 1e-6 || warmup !== fromMs < warmupMs) return false;
        atMs = fromMs + forMs;
      }
      return stretches.length <= 102 && Math.abs(atMs - durationMs) < 1e-6;
    }),
  );
});

t.test('requests belong to the interval that they were meant to start in', async (t) => {
  const line = new TimeLine({ durationMs: 1_000, warmupMs: 200 });
  for (const ms of [0, 99, 200, 950, 150, 999]) line.tallyAt(ms).offered += 1;
  t.same(
    line.data().map((tally) => tally?.offered ?? 0),
    [2, 1, 1, 0, 0, 0, 0, 0, 0, 2],
  );
});

function seen(
  fields: Partial<LoadSeen>,
  { lagMs = 0.1, latencyMs = 5, offered = 1_000 } = {},
): LoadSeen {
  const tally = new Tally();
  tally.offered = offered;
  tally.lag.add(lagMs);
  tally.succeed({ latencyMs, serviceMs: latencyMs, good: true });
  return {
    figures: tally.figures(1_000),
    isOpen: true,
    busyRatio: 1,
    missed: 0,
    heldBack: 0,
    heldBackMs: 0,
    inFlightMax: 64,
    durationMs: 1_000,
    plannedMs: 1_000,
    ...fields,
  };
}

t.test(
  'a load has a warning for what its generator could not do, and for nothing else',
  async (t) => {
    t.same(warningsOf(seen({})), [], 'an open loop may always turn');
    t.same(warningsOf(seen({ missed: 10 })), [], '99 % in time');
    t.match(warningsOf(seen({ missed: 11 })), [
      /Only 98.9 % of the 1000 requests were sent in time/,
    ]);
    t.same(warningsOf(seen({}, { lagMs: 0.9, latencyMs: 1 })), [], 'less than a millisecond');
    t.same(
      warningsOf(seen({}, { lagMs: 1.9, latencyMs: 20 })),
      [],
      'less than a tenth of the latency',
    );
    t.same(warningsOf(seen({ isOpen: false, busyRatio: 0.95 })), []);
    t.match(warningsOf(seen({ isOpen: false, busyRatio: 0.97 })), [
      /itself was busy for 97.0 % of/,
    ]);
    t.match(warningsOf(seen({}, { lagMs: 2, latencyMs: 5 })), [/was 2.00 ms late .* is 5.00 ms/]);
    const unanswered = new Tally();
    unanswered.offered = 10;
    unanswered.lag.add(2);
    const [warning = ''] = warningsOf(seen({ figures: unanswered.figures(1_000) }));
    t.match(warning, /was 2.00 ms late .*, and none was answered well/);
    t.notMatch(warning, /the latency is/, 'there is none');
    t.same(
      warningsOf(seen({ isOpen: false, busyRatio: 0.5, missed: 900 })),
      [],
      'a closed loop has no schedule',
    );
    t.match(warningsOf(seen({}, { offered: 0 })), [/No request/]);
    t.same(warningsOf(seen({ heldBack: 500, heldBackMs: 50_000 })), [], 'an overload is no fault');
  },
);

t.test('what was held back and what ended early is noted', async (t) => {
  t.same(notesOf(seen({})), []);
  t.match(notesOf(seen({ heldBack: 500, heldBackMs: 50_000, durationMs: 250 })), [
    /500 requests \(50.0 %\) waited because 64 were in flight already, 100.0 ms on average/,
    /ended after 0.3 of 1.0 s/,
  ]);
});

t.test('the pulses of several processes are one progress', async (t) => {
  const pulse = (latencyMs: number): Pulse => ({
    elapsedMs: 400,
    inFlight: 2,
    waiting: 1,
    answers: 20,
    sinceMs: 200,
    latency: histogramOf([latencyMs]).data(),
    errors: 3,
  });
  const progress = progressOf([pulse(1), pulse(9)], { durationMs: 1_000, warmupMs: 500 });
  t.ok(Math.abs(progress.p50Ms - 1) < 0.001);
  t.match(progress, {
    elapsedMs: 400,
    durationMs: 1_000,
    warmup: true,
    inFlight: 4,
    waiting: 2,
    answersPerSecond: 200,
    p99Ms: 9,
    errors: 6,
  });
});

t.test('a load that ended early is reported over the time that it had', async (t) => {
  const line = new TimeLine({ durationMs: 1_000, warmupMs: 100 });
  line.tallyAt(50).offered += 5;
  line.tallyAt(150).offered += 30;
  const report = reportOf(
    {
      arrivals: { kind: 'closed', concurrency: 1 },
      seed: 1,
      durationMs: 1_000,
      warmupMs: 100,
      deadlineMs: 10,
      inFlightMax: 1,
    },
    [
      {
        tallies: line.data(),
        answersInTime: 60,
        missed: 0,
        heldBack: 0,
        heldBackMs: 0,
        wrongExamples: [],
        durationMs: 250,
      },
    ],
  );
  t.match(report, { durationMs: 250, warmupMs: 100, answersPerSecond: 400 });
  t.match(report.warmup, { offered: 5, offeredPerSecond: 50 });
  t.match(report.measured, { offered: 30, offeredPerSecond: 200 });
  t.same(
    report.timeline.map(({ fromMs, forMs, warmup }) => [fromMs, Math.round(forMs), warmup]),
    [
      [0, 100, true],
      [100, 100, false],
      [200, 50, false],
    ],
  );
});
