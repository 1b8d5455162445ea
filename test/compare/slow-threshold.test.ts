import t from 'tap';
import { SlowThreshold } from '../../src/compare/slow-threshold.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import { aComparison, aLive, aWindow } from './builders.ts';

/** The slowest tenth is slow, known from ten requests on. */
function learned(): SlowThreshold {
  const threshold = new SlowThreshold(0.9);
  for (let at = 0; at < 100; at += 1) threshold.learn(5);
  return threshold;
}

/** As exact as the counts are. */
function about(ms: number | undefined): number {
  return Math.round(ms ?? Number.NaN);
}

t.test('what was learned before holds until the reference has had enough of its own', async (t) => {
  const threshold = learned();
  t.equal(about(threshold.thresholdMs), 5);
  for (let at = 1; at < threshold.burnIn; at += 1) threshold.add(2);
  t.equal(about(threshold.thresholdMs), 5);
  threshold.add(2);
  t.equal(about(threshold.thresholdMs), 2);
});

t.test(
  'what was learned in faster times is given up before it calls most requests slow',
  async (t) => {
    const threshold = learned();
    let slow = 0;
    for (let at = 1; at < threshold.burnIn; at += 1) {
      if (threshold.thresholdMs !== undefined) slow += 1;
      threshold.add(50);
    }
    t.equal(slow, 6);
    t.equal(threshold.thresholdMs, undefined);
    threshold.add(50);
    t.equal(about(threshold.thresholdMs), 50);
  },
);

const EVEN = { candidateBp: 500, referenceBp: 500 };

/** A window that has seen so many mirrored requests, each answered by stable within 5 ms. */
function afterShadow(pairs: number) {
  const window = aWindow();
  for (let at = 0; at < pairs; at += 1) {
    window.addComparison(aComparison({ drawnMs: at, answeredMs: at + 5 }));
  }
  return window;
}

t.test('after the shadow step the first live requests are timed', async (t) => {
  const window = afterShadow(100);
  window.addLive(aLive({ exposure: EVEN, endedMs: 50 }));
  window.addLive(aLive({ exposure: EVEN, side: 'reference', startedMs: 60, endedMs: 64 }));
  const { live, slowBlocks = {} } = window.snapshot();
  t.match(live['500:500'], { candidate: { timedUnits: 1, slow: 1 }, reference: { timedUnits: 1 } });
  t.same(Object.values(slowBlocks), [[1, 1, 1, 0]]);
});

t.test('mirrored requests of a canary, and those that stable failed, teach nothing', async (t) => {
  const canary = aWindow();
  canary.addLive(aLive({ exposure: EVEN }));
  const failed = aWindow();
  for (let at = 0; at < 100; at += 1) {
    const times = { drawnMs: at, answeredMs: at + 5 };
    canary.addComparison(aComparison(times));
    failed.addComparison(aComparison({ ...times, stableFailed: true, score: undefined }));
  }
  const resumed = aWindow({ from: { ...NO_EVIDENCE, ...canary.snapshot() } });
  for (let at = 0; at < 100; at += 1) {
    resumed.addComparison(aComparison({ drawnMs: at, answeredMs: at + 5 }));
  }
  for (const window of [canary, failed, resumed]) {
    window.addLive(aLive({ exposure: EVEN, startedMs: 200, endedMs: 900 }));
    t.equal(window.snapshot().live['500:500']?.candidate.timedUnits, 0);
  }
});

t.test('the first rules learn from live requests alone', async (t) => {
  const window = aWindow({ rules: 1 });
  for (let at = 0; at < 100; at += 1) {
    window.addComparison(aComparison({ drawnMs: at, answeredMs: at + 5 }));
  }
  window.addLive(aLive({ exposure: EVEN, endedMs: 50 }));
  t.equal(window.snapshot().live['500:500']?.candidate.timedUnits, 0);
});
