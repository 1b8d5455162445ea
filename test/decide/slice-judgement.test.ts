import t from 'tap';
import { runSteps } from '../../src/concurrency/time-slicer.ts';
import { type Evidence, NO_EVIDENCE, type SliceEvidence } from '../../src/core/evidence.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import { decide } from '../../src/decide/decide.ts';
import { metricDetail } from '../../src/decide/metric-detail.ts';
import { metricLabel, metricPlans } from '../../src/decide/metric-plans.ts';
import { reportedDetail, reportedMetrics } from '../../src/decide/reported-slices.ts';
import { claimedMetrics } from '../../src/decide/step-claims.ts';
import { aComparison, aWindow } from '../compare/builders.ts';
import { aSpec, differences, failedPairs, goodEvidence } from './builders.ts';

const DARK = { tone: 'dark' };
const KEY = 'tone=dark';
const METRICS = ['disagreement', 'pairedErrors', 'errors'] as const;
const require = ['disagreement', 'pairedErrors'] as const;

/** One slice that gates what it names. */
function gating(metrics: readonly (typeof METRICS)[number][]): RolloutSpec {
  return aSpec({ slices: [DARK], sliceMetrics: { [KEY]: metrics } });
}

function slice(over: Partial<SliceEvidence> = {}): SliceEvidence {
  return {
    disagreement: differences([0, 3_000]),
    excessDisagreement: differences([0, 3_000]),
    pairedFailures: failedPairs([0, 0, 3_000]),
    pairedFelt: { pairs: 3_000, candidate: 0, reference: 0 },
    liveErrors: {},
    liveFelt: {},
    slow: [0, 0, 0, 0],
    ...over,
  };
}

function withDark(over: Partial<SliceEvidence> = {}): Evidence {
  return { ...goodEvidence(), bySlice: { [KEY]: slice(over) } };
}

const WORSE = { excessDisagreement: differences([0, 200], [1, 100]) };

t.test(
  'a candidate that is worse in one slice alone is rejected where the slice gates it',
  async (t) => {
    const evidence = withDark(WORSE);
    const { kind, decidedBy } = decide({ evidence, spec: gating(['disagreement']), require });
    t.same([kind, decidedBy], ['fail', ['disagreement{tone=dark}']]);
    const none = aSpec({ slices: [], reportedSlices: [DARK] });
    t.same(
      decide({ evidence, spec: none, require }),
      decide({ evidence: goodEvidence(), spec: none, require }),
      'one that is only shown decides nothing',
    );
  },
);

t.test('failures in a slice reject by the same rule', async (t) => {
  const evidence = withDark({
    pairedFailures: failedPairs([0, 0, 400], [1, 0, 100]),
    pairedFelt: { pairs: 500, candidate: 100, reference: 0 },
  });
  t.same(decide({ evidence, spec: gating(['pairedErrors']), require }).decidedBy, [
    'pairedErrors{tone=dark}',
  ]);
  const live = { '500:500': { candidate: { '0/1': 400, '1/1': 100 }, reference: { '0/1': 500 } } };
  const failing = withDark({ liveErrors: live });
  t.same(decide({ evidence: failing, spec: gating(['errors']), require }).decidedBy, [
    'errors{tone=dark}',
  ]);
});

t.test('a slice that is fine passes, and an empty one holds back by name', async (t) => {
  const spec = gating(['disagreement', 'pairedErrors']);
  t.equal(decide({ evidence: withDark(), spec, require }).kind, 'pass');
  const { kind, reasons } = decide({ evidence: goodEvidence(), spec, require });
  t.equal(kind, 'inconclusive');
  t.match(reasons, [
    /^disagreement\{tone=dark\}: slice empty: no compared pairs/,
    /^pairedErrors\{tone=dark\}: slice empty: no compared pairs/,
  ]);
});

t.test('only what a slice gates takes a part of the error budget', async (t) => {
  const labels = (spec: RolloutSpec) => metricPlans(spec).map(({ key }) => metricLabel(key));
  const all = labels(aSpec({ slices: [], reportedSlices: [DARK] }));
  t.same(
    labels(gating(['errors'])),
    all.toSpliced(all.indexOf('errors') + 1, 0, 'errors{tone=dark}'),
  );
  t.ok(labels(aSpec({ slices: [DARK] })).includes('labelledLoss{tone=dark}'), 'the default');
  for (const { weight } of metricPlans(gating(['errors']))) t.equal(weight, 1 / (all.length + 1));
  const step = { kind: 'setWeight', percent: 5, control: true } as const;
  t.same(claimedMetrics(gating(['errors']), step), ['errors', 'slowRequests'], 'steps ask of all');
});

t.test('all that is measured of a slice is shown, with what it does not gate apart', async (t) => {
  const spec = gating(['pairedErrors']);
  const evidence = withDark({ ...WORSE, slow: [200, 4, 100, 1] });
  const reported = reportedMetrics(evidence, spec);
  t.match(
    reported.map(({ label, samples, estimate }) => [label, samples, estimate]),
    [
      ['disagreement{tone=dark}', 300, 1 / 3],
      ['errors{tone=dark}', 0, undefined],
      ['slowRequests{tone=dark}', 300, 2],
    ],
  );
  const [first] = reported;
  const detail = first && runSteps(reportedDetail(evidence, spec, first));
  t.ok((detail?.effect?.lower ?? 0) > 0.2, JSON.stringify(detail));
  const status = decide({ evidence, spec, require }).metrics.find(
    ({ metric, slice }) => metric === 'pairedErrors' && slice !== undefined,
  );
  const proven = status && runSteps(metricDetail({ evidence, spec, status })).proven;
  t.ok((proven?.ofMargin ?? 9) <= 1, 'the margin that its own pairs prove');
});

t.test('slices of fair versions keep the budget, at every look', async (t) => {
  const tones = ['a', 'b', 'c', 'd'];
  const slices = tones.map((tone) => ({ tone }));
  const spec = aSpec({
    slices,
    sliceMetrics: Object.fromEntries(tones.map((tone) => [`tone=${tone}`, ['disagreement']])),
  });
  const random = seededRandom(7);
  const runs = 60;
  let rejected = 0;
  for (let run = 0; run < runs; run += 1) {
    const window = aWindow({ slices });
    let isWorse = false;
    for (let pair = 1; pair <= 400 && !isWorse; pair += 1) {
      const draw = (): number => (random.unit() < 0.1 ? 1 : 0);
      const tone = tones[Math.floor(random.unit() * tones.length)] ?? 'a';
      window.addComparison(aComparison({ score: draw(), noise: draw() }), { tone });
      if (pair % 50 > 0) continue;
      const evidence = { ...NO_EVIDENCE, ...window.snapshot() };
      isWorse = decide({ evidence, spec, require }).kind === 'fail';
    }
    rejected += Number(isWorse);
  }
  // Of a budget of 5 %, three standard errors above.
  t.ok(rejected <= 8, `${rejected} of ${runs} fair runs`);
});
