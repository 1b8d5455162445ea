import t from 'tap';
import { LiveWindow } from '../../../src/compare/rules-1/live-window.ts';
import { SlowThreshold } from '../../../src/compare/slow-threshold.ts';
import { NO_EVIDENCE } from '../../../src/core/evidence.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { aLive } from '../builders.ts';

function aLiveWindow(over: { slowQuantile?: number } = {}): LiveWindow {
  return new LiveWindow({ salt: 'salt', slowQuantile: 0.9, ...over }, NO_EVIDENCE);
}

const failure = 'runtime_failed' as const;

t.test('live requests are counted by arm and by exposure', async (t) => {
  const window = aLiveWindow();
  window.add(aLive());
  window.add(aLive({ unit: 'u2', side: 'reference', failure }));
  window.add(
    aLive({ unit: 'u3', startedMs: 10, exposure: { candidateBp: 2500, referenceBp: 7500 } }),
  );
  t.match(window.snapshot().live, {
    '2500:7500': {
      candidate: { requests: 1, units: 1, errors: 0, slow: 0 },
      reference: { requests: 0, units: 0, errors: 0, slow: 0 },
    },
    '500:9500': {
      candidate: { requests: 1, units: 1, errors: 0, slow: 0 },
      reference: { requests: 1, units: 1, errors: 1, slow: 0 },
    },
  });
});

t.test(
  'the first error of a unit that comes again counts, later ones and later requests do not',
  async (t) => {
    const window = aLiveWindow();
    for (let i = 0; i < 5; i += 1) {
      window.add(aLive({ unit: 'u1', startedMs: i * 10, endedMs: i * 10 + 1, failure }));
    }
    const { live, erredUnits } = window.snapshot();
    t.match(live['500:9500']?.candidate, { requests: 5, units: 1, errors: 1, slow: 0 });
    t.equal(erredUnits.length, 1);
    t.match(erredUnits[0], /^[0-9a-f]{16}$/);
  },
);

t.test('what is the doing of the caller never counts', async (t) => {
  const window = aLiveWindow();
  window.add(aLive({ failure: 'invalid_input' }));
  window.add(aLive({ failure: 'cancelled' }));
  t.same(window.snapshot().live, {});
});

t.test('requests that begin under a counted event are neither events nor trials', async (t) => {
  const window = aLiveWindow();
  const times = [
    [0, 100],
    [20, 120],
    [60, 70],
    [110, 130],
  ] as const;
  times.forEach(([startedMs, endedMs], index) => {
    window.add(aLive({ unit: `u${index}`, startedMs, endedMs, failure }));
  });
  t.same(window.snapshot().live['500:9500']?.candidate, {
    requests: 4,
    units: 2,
    timedUnits: 0,
    errors: 2,
    slow: 0,
    erredRequests: 4,
    slowRequests: 0,
  });
});

t.test(
  'nothing is slow during burn-in; then what exceeds the past of the reference is',
  async (t) => {
    const window = aLiveWindow();
    const { burnIn } = new SlowThreshold(0.9, 2);
    let startedMs = 0;
    const add = (side: 'candidate' | 'reference', durationMs: number): void => {
      startedMs += 1_000;
      window.add(aLive({ unit: `${startedMs}`, side, startedMs, endedMs: startedMs + durationMs }));
    };
    for (let i = 0; i < burnIn; i += 1) {
      add('candidate', 500);
      add('reference', 10);
    }
    add('candidate', 9);
    add('candidate', 11);
    add('reference', 11);
    const counts = window.snapshot().live['500:9500'];
    t.equal(counts?.candidate.slow, 1);
    t.equal(counts?.reference.slow, 1);
    t.equal(window.snapshot().slowUnits.length, 2);
  },
);

t.test('what was met before there was a threshold is no trial of slowness', async (t) => {
  const window = aLiveWindow();
  const { burnIn } = new SlowThreshold(0.9, 2);
  let startedMs = 0;
  const add = (side: 'candidate' | 'reference', durationMs: number): void => {
    startedMs += 1_000;
    window.add(aLive({ side, startedMs, endedMs: startedMs + durationMs }));
  };
  for (let i = 0; i < burnIn; i += 1) {
    add('candidate', 500);
    add('reference', 10);
  }
  t.match(window.snapshot().live['500:9500'], {
    candidate: { units: burnIn, timedUnits: 0, slow: 0 },
    reference: { units: burnIn, timedUnits: 0, slow: 0 },
  });
  add('candidate', 500);
  t.match(window.snapshot().live['500:9500']?.candidate, { timedUnits: 1, slow: 1 });
});

t.test('a restart does not count the same units twice', async (t) => {
  const people = Array.from({ length: 50 }, (_, index) => `u${index}`);
  const visit = (window: LiveWindow, fromMs: number, exposure = aLive().exposure): void =>
    people.forEach((unit, index) => {
      const startedMs = fromMs + index * 10;
      window.add(aLive({ unit, startedMs, endedMs: startedMs + 1, exposure }));
    });
  const before = aLiveWindow();
  visit(before, 0);
  const after = new LiveWindow({ salt: 'salt', slowQuantile: 0.9 }, before.snapshot());
  visit(after, 1_000);
  const key = '500:9500';
  t.match(after.snapshot().live[key]?.candidate, { requests: 100, units: 50, errors: 0 });
  after.add(aLive({ unit: 'u7', startedMs: 9_000, endedMs: 9_001, failure }));
  after.add(aLive({ unit: 'u7', startedMs: 9_100, endedMs: 9_101, failure }));
  t.match(after.snapshot().live[key]?.candidate, { units: 51, errors: 1 }, 'harm is still seen');
  visit(after, 10_000, { candidateBp: 2_500, referenceBp: 7_500 });
  t.match(after.snapshot().live['2500:7500']?.candidate, { units: 50 }, 'a new coin is tossed');
});

t.test('what evidence remembers of units is bounded, for any traffic', async (t) => {
  const window = aLiveWindow();
  for (let i = 0; i < 12_000; i += 1) {
    const times = { startedMs: i * 10, endedMs: i * 10 + 1 };
    window.add(aLive({ ...times, failure }));
    window.add(aLive({ unit: `u${i}`, startedMs: i * 10 + 5, endedMs: i * 10 + 6, failure }));
  }
  const { live, erredUnits } = window.snapshot();
  t.equal(erredUnits.length, 5_000, 'requests that are units of their own leave no hash');
  t.match(live['500:9500']?.candidate, { requests: 24_000, units: 17_000, errors: 17_000 });
});

t.test('a caller that hangs up after waiting too long has seen a slow request', async (t) => {
  const window = aLiveWindow();
  for (let i = 0; i < 40; i += 1) {
    window.add(aLive({ side: 'reference', startedMs: i * 100, endedMs: i * 100 + 5 }));
  }
  window.add(aLive({ startedMs: 9_000, endedMs: 9_900, failure: 'cancelled' }));
  t.match(window.snapshot().live['500:9500']?.candidate, { units: 1, slow: 1, errors: 0 });
});

t.test('the threshold is a quantile of the past to within its bucket', async (t) => {
  const random = seededRandom(7);
  const threshold = new SlowThreshold(0.95);
  let above = 0;
  let judged = 0;
  for (let i = 0; i < 20_000; i += 1) {
    const ms = 5 + 20 * random.unit() ** 3;
    if (threshold.thresholdMs !== undefined) judged += 1;
    if (threshold.thresholdMs !== undefined && ms > threshold.thresholdMs) above += 1;
    threshold.add(ms);
  }
  const exact = 5 + 20 * 0.95 ** 3;
  t.ok(Math.abs((threshold.thresholdMs ?? 0) / exact - 1) < 0.02);
  t.ok(above / judged < 0.055 && above / judged > 0.035, `${above} of ${judged}`);
  t.throws(() => new SlowThreshold(1), RangeError);
});

/**
 * Both arms fail at one rate, at 5 % against 95 %, so heavily loaded that failures overlap. The candidate's share of the
 * events must be its share of the traffic: 5 %, give or take three standard errors.
 */
t.test('overlap does not shift blame to the arm with less traffic', async (t) => {
  const random = seededRandom(11);
  const window = aLiveWindow();
  let startedMs = 0;
  for (let i = 0; i < 200_000; i += 1) {
    startedMs += 2 * random.unit();
    const side = random.unit() < 0.05 ? ('candidate' as const) : ('reference' as const);
    const isBad = random.unit() < 0.02;
    const times = { startedMs, endedMs: startedMs + 100 };
    window.add(aLive({ unit: `${i}`, side, ...times, failure: isBad ? failure : undefined }));
  }
  const counts = window.snapshot().live['500:9500'];
  const [candidate, reference] = [counts?.candidate.errors ?? 0, counts?.reference.errors ?? 0];
  const events = candidate + reference;
  const se = Math.sqrt((0.05 * 0.95) / events);
  t.ok(events > 1_000);
  t.ok(Math.abs(candidate / events - 0.05) < 3 * se, `${candidate} of ${events}`);
  // The rate among trials is the true rate as well.
  const units = (counts?.candidate.units ?? 0) + (counts?.reference.units ?? 0);
  t.ok(Math.abs(events / units - 0.02) < 3 * Math.sqrt((0.02 * 0.98) / units));
});
