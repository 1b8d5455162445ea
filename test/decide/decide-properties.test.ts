import fc from 'fast-check';
import t from 'tap';
import { addCounts } from '../../src/compare/difference-tally.ts';
import { mergeEvidence } from '../../src/compare/merge-evidence.ts';
import type { DifferenceCounts, Evidence, GridCounts } from '../../src/core/evidence.ts';
import { METRIC_NAMES, type MetricName, type Verdict } from '../../src/core/verdict.ts';
import { decide } from '../../src/decide/decide.ts';
import { metricLabel } from '../../src/decide/metric-plans.ts';
import { fuzzRuns } from '../support/fuzz-runs.ts';
import { anExposure, aSpec, failedPairs, goodEvidence } from './builders.ts';

/** From worst to best. */
const ORDER = ['fail', 'error', 'inconclusive', 'pass'];

const REQUIRE: readonly MetricName[] = ['pairedErrors', 'labelledLoss', 'errors', 'slowRequests'];

const count = fc.nat({ max: 1_500 });
const few = fc.nat({ max: 60 });

/** Differences -1, 0 and 1, mostly 0. */
const paired = fc
  .tuple(few, count, few)
  .map(([minus, zero, plus]): GridCounts => ({ '-1000': minus, '0': zero, '1000': plus }))
  .map((grid): DifferenceCounts => ({ down: grid, up: grid }));

/** Pairs that both versions failed, the candidate alone, stable alone; most failed by neither. */
const failed = fc
  .tuple(few, few, few, count)
  .map(([both, mine, other, neither]) =>
    failedPairs([1, 1, both], [1, 0, mine], [0, 1, other], [0, 0, neither]),
  );

const exposure = fc
  .tuple(few, few, few, few)
  .map(([errors, otherErrors, slow, otherSlow]) =>
    anExposure({ errors, slow }, { errors: otherErrors, slow: otherSlow }),
  );

const evidence = fc
  .record({
    pairedFailures: failed,
    labelledLoss: paired,
    slice: paired,
    live: fc.record({ '500:500': exposure, '2500:2500': exposure }),
  })
  .map(({ slice, ...rest }) =>
    goodEvidence({ ...rest, labelledLossBySlice: { 'garment=upper,tone=dark': slice } }),
  );

function judge(given: Evidence): Verdict {
  return decide({ evidence: given, spec: aSpec(), require: REQUIRE });
}

t.test('a verdict never improves when candidate errors are added', async (t) => {
  const worse = fc.record({ pairs: few, lost: few, live: few });
  fc.assert(
    fc.property(evidence, worse, (before, extra) => {
      const exposed = before.live['500:500'];
      if (exposed === undefined) return false;
      const { candidate } = exposed;
      const errors = Math.min(candidate.units, candidate.errors + extra.live);
      const after: Evidence = {
        ...before,
        pairedFailures: addCounts(before.pairedFailures ?? {}, failedPairs([1, 0, extra.pairs])),
        labelledLoss: withMore(before.labelledLoss, extra.lost),
        live: { ...before.live, '500:500': { ...exposed, candidate: { ...candidate, errors } } },
      };
      return ORDER.indexOf(judge(after).kind) <= ORDER.indexOf(judge(before).kind);
    }),
    fuzzRuns(200),
  );
  t.pass();
});

function withMore(counts: DifferenceCounts, more: number): DifferenceCounts {
  const grid = { ...counts.up, '1000': (counts.up['1000'] ?? 0) + more };
  return { down: grid, up: grid };
}

t.test('the order in which evidence was put together changes no bit of the verdict', async (t) => {
  fc.assert(
    fc.property(evidence, (given) => {
      const turned = reversed(given) as Evidence;
      return JSON.stringify(judge(turned)) === JSON.stringify(judge(given));
    }),
    fuzzRuns(100),
  );
  t.pass();
});

/** The same value with every object's keys put in the other way round, as a merge in another order leaves them. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

t.test('evidence merged in any order and grouping gives the same verdict', async (t) => {
  fc.assert(
    fc.property(evidence, evidence, evidence, (a, b, c) => {
      const one = mergeEvidence(mergeEvidence(a, b), c);
      const other = mergeEvidence(c, mergeEvidence(b, a));
      return JSON.stringify(judge(one)) === JSON.stringify(judge(other));
    }),
    fuzzRuns(50),
  );
  t.pass();
});

t.test('every verdict is whole: labels, findings and reasons agree', async (t) => {
  fc.assert(
    fc.property(evidence, fc.subarray([...METRIC_NAMES]), (given, require) => {
      const verdict = decide({ evidence: given, spec: aSpec(), require });
      const labels = verdict.metrics.map(metricLabel);
      const worse = verdict.metrics.filter((metric) => metric.finding === 'worse').map(metricLabel);
      return (
        new Set(labels).size === labels.length &&
        JSON.stringify(worse) === JSON.stringify(verdict.decidedBy) &&
        (verdict.kind === 'fail') === worse.length > 0 &&
        (verdict.kind === 'inconclusive') === (worse.length === 0 && verdict.reasons.length > 0) &&
        (verdict.kind !== 'pass' || require.length > 0)
      );
    }),
    fuzzRuns(200),
  );
  t.pass();
});
