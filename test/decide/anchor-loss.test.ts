import t from 'tap';
import { type AnchorEvidence, NO_ANCHOR } from '../../src/core/evidence.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import { decide } from '../../src/decide/decide.ts';
import { metricPlans } from '../../src/decide/metric-plans.ts';
import { aSpec, differences, FULLY_LABELLED, goodEvidence } from './builders.ts';

const ANCHOR = { version: '0', digest: 'digest-0', spent: { loss: 0.018, unmeasured: 0 } };

/** Version 2 on trial over 1, while 0 is the anchor. */
function held(changes: Partial<RolloutSpec> = {}): RolloutSpec {
  return aSpec({ claim: 'noWorse', slices: [], anchor: ANCHOR, anchorShare: 100, ...changes });
}

/** Labelled units on which the candidate does better, alike and worse than the anchor. */
function anchored(won: number, same: number, lost: number): AnchorEvidence {
  return {
    ...NO_ANCHOR,
    answered: won + same + lost,
    loss: differences([-1, won], [0, same], [1, lost]),
    coverage: { '': FULLY_LABELLED },
  };
}

function verdictOn(anchor: AnchorEvidence | undefined, spec = held()) {
  const verdict = decide({
    evidence: goodEvidence({ anchor }),
    spec,
    require: ['labelledLoss', 'anchorLoss'],
  });
  const status = verdict.metrics.find(({ metric }) => metric === 'anchorLoss');
  return { ...verdict, status };
}

t.test('a candidate that is no worse than stable has to be no worse than the anchor', async (t) => {
  const alike = verdictOn(anchored(30, 2_940, 30));
  t.match(alike, { kind: 'pass', status: { finding: 'nonInferior', role: 'gate' } });
  const crept = verdictOn(anchored(20, 2_850, 130));
  t.match(crept, { kind: 'fail', decidedBy: ['anchorLoss'], status: { finding: 'worse' } });
  const close = verdictOn(anchored(20, 2_925, 55));
  t.equal(close.kind, 'inconclusive');
  t.match(close.reasons.join(), /anchorLoss: not yet proven no worse/);
});

t.test(
  'an anchor that answers nothing never passes, and the verdict says what to do',
  async (t) => {
    for (const anchor of [undefined, NO_ANCHOR, { ...NO_ANCHOR, failed: 400 }]) {
      const { kind, reasons } = verdictOn(anchor);
      t.equal(kind, 'inconclusive');
      t.match(reasons.join(), /put its files back, or name another \(understudy rollout anchor\)/);
    }
  },
);

t.test('an anchor that often gives no answer proves nothing, and can still reject', async (t) => {
  const failing = { ...anchored(30, 2_940, 30), failed: 600 };
  t.match(verdictOn(failing).reasons.join(), /gave no answer to 600 of 3,600 pairs/);
  const worse = { ...anchored(20, 2_850, 130), failed: 600 };
  t.equal(verdictOn(worse).kind, 'fail');
});

t.test('slices lose one margin against the anchor, too', async (t) => {
  const slice = { tone: 'dark' };
  const lossBySlice = { 'tone=dark': differences([-1, 5], [0, 800], [1, 195]) };
  const { decidedBy } = verdictOn(
    { ...anchored(30, 2_940, 30), lossBySlice },
    held({ slices: [slice] }),
  );
  t.same(decidedBy, ['anchorLoss{tone=dark}']);
});

t.test('better than stable is not better than the anchor', async (t) => {
  t.match(verdictOn(anchored(30, 2_940, 30)).status, { superior: false });
  t.match(verdictOn(anchored(130, 2_850, 20)).status, { superior: true });
});

t.test(
  'there is a claim only against a third version that has a share, and with labels',
  async (t) => {
    const isPlanned = (changes: Partial<RolloutSpec>): boolean =>
      metricPlans(held(changes)).some(({ key }) => key.metric === 'anchorLoss');
    t.ok(isPlanned({}));
    t.notOk(isPlanned({ stable: '0' }));
    t.notOk(isPlanned({ candidate: '0' }));
    t.notOk(isPlanned({ anchorShare: 0 }));
    const unlabelled = { kind: 'analysis', require: ['pairedErrors'], reject: [] } as const;
    t.notOk(isPlanned({ steps: [unlabelled] }));
    const { anchor: _, ...before } = held();
    t.notOk(
      metricPlans(before).some(({ key }) => key.metric === 'anchorLoss'),
      'of a rollout before',
    );
  },
);
