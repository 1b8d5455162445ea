import t from 'tap';
import { runSteps } from '../../src/concurrency/time-slicer.ts';
import { decide } from '../../src/decide/decide.ts';
import { reportedDetail, reportedMetrics } from '../../src/decide/reported-slices.ts';
import { aSpec, differences, goodEvidence } from './builders.ts';

const BAD = { region: 'eu' };
const spec = aSpec({ reportedSlices: [BAD, { region: 'us' }] });
const require = ['disagreement', 'pairedErrors', 'labelledLoss'] as const;

/** A candidate that is much worse in one reported slice, and of which the other has no label. */
function evidence() {
  const good = goodEvidence();
  const harm = differences([0, 300], [1, 200]);
  return { ...good, labelledLossBySlice: { ...good.labelledLossBySlice, 'region=eu': harm } };
}

t.test('a reported slice decides nothing and takes no part of the budget', (t) => {
  const without = decide({ evidence: goodEvidence(), spec: aSpec(), require });
  t.equal(without.kind, 'pass');
  t.same(decide({ evidence: evidence(), spec, require }), without);
  const gating = aSpec({ slices: [...spec.slices, BAD] });
  t.equal(
    decide({ evidence: evidence(), spec: gating, require }).kind,
    'fail',
    'one that gates does',
  );
  t.end();
});

t.test('it is shown with its number of labels and an interval', (t) => {
  const [bad, none] = reportedMetrics(evidence(), spec);
  if (bad === undefined || none === undefined) throw new Error('expected two slices');
  t.match(bad, {
    label: 'labelledLoss{region=eu}',
    samples: 500,
    candidateEvents: 200,
    referenceEvents: 0,
    estimate: 0.4,
  });
  const { effect } = runSteps(reportedDetail(evidence(), spec, bad));
  t.ok(effect !== undefined && effect.lower > 0.2 && effect.upper < 0.6, JSON.stringify(effect));
  t.match(none, { samples: 0, estimate: undefined });
  t.same(runSteps(reportedDetail(evidence(), spec, none)), { effect: undefined });
  t.end();
});

t.test('a rollout without such slices reports none', (t) => {
  t.same(reportedMetrics(evidence(), aSpec()), []);
  t.end();
});
