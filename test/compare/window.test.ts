import fc from 'fast-check';
import t from 'tap';
import { gridSteps } from '../../src/compare/difference-tally.ts';
import { mergeEvidence } from '../../src/compare/merge-evidence.ts';
import { loadBucket } from '../../src/compare/mirror-tally.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import {
  aComparison,
  afterAll,
  aWindow,
  evidences,
  passingHappenings,
  shadowHappenings,
} from './builders.ts';

t.test('a new window holds no evidence', async (t) => {
  t.same({ ...NO_EVIDENCE, ...aWindow().snapshot() }, NO_EVIDENCE);
});

t.test('evidence goes on in the form that the rules of its rollout judge', async (t) => {
  for (const rules of [1, 2] as const) {
    const from = aWindow({ rules });
    from.addComparison(aComparison({ score: 0.25, noise: 0.5 }));
    const seen = { ...NO_EVIDENCE, ...from.snapshot() };
    t.same(aWindow({ rules, from: seen }).snapshot(), from.snapshot(), `rules ${rules}`);
  }
});

t.test('values on the grid are counted exactly, others on both sides', async (t) => {
  t.same(gridSteps(0.57), { down: 570, up: 570 });
  t.same(gridSteps(0.3 - 0.1), { down: 200, up: 200 });
  t.same(gridSteps(1 / 3), { down: 333, up: 334 });
  t.same(gridSteps(-1 / 3), { down: -334, up: -333 });
  t.ok(Object.is(gridSteps(-0.0004).up, 0));
  t.ok(Object.is(gridSteps(-0).down, 0));
  fc.assert(
    fc.property(fc.integer({ min: -1000, max: 1000 }), (step) => {
      const { down, up } = gridSteps(step / 1000);
      return down === step && up === step;
    }),
  );
  fc.assert(
    fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (value) => {
      const { down, up } = gridSteps(value);
      return down <= value * 1000 + 1e-9 && up >= value * 1000 - 1e-9 && up - down <= 1;
    }),
  );
});

t.test('a value out of bounds is an error and is not counted', async (t) => {
  const window = aWindow();
  t.throws(() => window.addComparison(aComparison({ score: 1.5 })), RangeError);
  t.throws(() => window.addComparison(aComparison({ score: Number.NaN })), RangeError);
  t.same(window.snapshot().disagreement, { down: {}, up: {} });
});

t.test('a comparison is folded into every metric that it says something about', async (t) => {
  const window = aWindow();
  window.addComparison(aComparison({ score: 0.25, noise: 0.5 }));
  window.addComparison(aComparison({ score: undefined, candidateFailed: true }));
  window.addComparison(
    aComparison({ score: undefined, candidateFailed: true, stableFailed: true }),
  );
  const { disagreement, excessDisagreement, pairedFailures } = window.snapshot();
  t.same(disagreement.down, { 250: 1 });
  t.same(excessDisagreement.up, { '-250': 1 });
  t.same(pairedFailures, { '0:0/1': 1, '1:0/1': 1, '1:1/1': 1 });
});

t.test('a pair is slower only beyond the ratio and beyond the floor', async (t) => {
  const window = aWindow();
  const times: [number, number][] = [
    [1.26, 1],
    [1.25, 1],
    [0.19, 0.1],
    [0.21, 0.1],
  ];
  times.forEach(([candidateMs, twinMs], shadowRun) => {
    window.addComparison(aComparison({ latency: { candidateMs, twinMs, shadowRun } }));
  });
  t.same(window.snapshot().pairedLatency, { pairs: 4, slower: 2 });
  t.same(Object.values(window.snapshot().latencyBlocks ?? {}), [[4, 2]]);
});

t.test('pairs that shared a run of the shadow host are one measurement of time', async (t) => {
  const window = aWindow();
  for (const shadowRun of [7, 7, 7, 8])
    window.addComparison(aComparison({ latency: { candidateMs: 3, twinMs: 1, shadowRun } }));
  t.same(window.snapshot().pairedLatency, { pairs: 2, slower: 2 });
});

t.test('the mirror accounts add up, by load in powers of two', async (t) => {
  const window = aWindow();
  window.countMirror({ kind: 'notSampled' });
  window.countMirror({ kind: 'compared', load: 5 });
  window.countMirror({ kind: 'dropped', reason: 'queueFull', load: 7 });
  window.countMirror({ kind: 'timedOut', load: 0 });
  t.same(window.snapshot().mirror, {
    eligible: 4,
    notSampled: 1,
    compared: 1,
    dropped: { queueFull: 1 },
    timedOut: 1,
    failed: 0,
    byLoad: { 0: { sampled: 1, compared: 0 }, 4: { sampled: 2, compared: 1 } },
  });
  t.same([0, 1, 2, 3, 4, 63, 64].map(loadBucket), ['0', '1', '2', '2', '4', '32', '64']);
});

t.test('evidence merges in any order, and nothing is its identity', async (t) => {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  fc.assert(
    fc.property(evidences, evidences, evidences, (a, b, c) => {
      const left = mergeEvidence(mergeEvidence(a, b), c);
      return (
        same(mergeEvidence(a, b), mergeEvidence(b, a)) &&
        same(left, mergeEvidence(a, mergeEvidence(b, c))) &&
        same(mergeEvidence(a, NO_EVIDENCE), a)
      );
    }),
    { numRuns: 50 },
  );
  t.pass();
});

t.test('in shadow, two windows merged are one window that saw it all, in any order', async (t) => {
  const happenings = fc.array(shadowHappenings, { maxLength: 40 });
  fc.assert(
    fc.property(happenings, happenings, (a, b) => {
      const merged = mergeEvidence(afterAll(aWindow(), a), afterAll(aWindow(), b));
      const text = JSON.stringify(afterAll(aWindow(), [...b, ...a]));
      return JSON.stringify(merged) === text;
    }),
    { numRuns: 50 },
  );
  t.pass();
});

t.test(
  'a window that begins from a snapshot continues as if it had not been interrupted',
  async (t) => {
    const shadow = fc.array(shadowHappenings, { maxLength: 30 });
    fc.assert(
      fc.property(shadow, passingHappenings, fc.nat(60), (paired, live, cut) => {
        const all = [...paired, ...live];
        const first = afterAll(aWindow({ slowQuantile: 0.999 }), all.slice(0, cut));
        const from = JSON.parse(JSON.stringify(first));
        const resumed = afterAll(aWindow({ slowQuantile: 0.999, from }), all.slice(cut));
        const whole = afterAll(aWindow({ slowQuantile: 0.999 }), all);
        return JSON.stringify(resumed) === JSON.stringify(whole);
      }),
      { numRuns: 100 },
    );
    t.pass();
  },
);
