import t from 'tap';
import type { Evidence } from '../../src/core/evidence.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import { decide } from '../../src/decide/decide.ts';
import { aSpec, differences, goodEvidence } from './builders.ts';

const STEPS: RolloutSpec['steps'] = [
  { kind: 'setWeight', percent: 50, control: false },
  { kind: 'analysis', require: ['errors'], reject: ['liveLoss'] },
  { kind: 'promote' },
];

function statusOn(values: readonly [number, number][], spec: Partial<RolloutSpec> = {}) {
  const liveLoss = {
    differences: differences(...values),
    places: {},
    countedUntilMs: 0,
    units: {},
  };
  const evidence: Evidence = goodEvidence({ liveLoss });
  const asked = aSpec({ steps: STEPS, rules: 2, ...spec });
  const { metrics, kind } = decide({ evidence, spec: asked, require: ['errors'] });
  const status = metrics.find(({ metric }) => metric === 'liveLoss');
  if (status === undefined) throw new Error('no status of liveLoss');
  return { ...status, kind };
}

t.test('labels of live answers that are wrong more often reject the candidate', async (t) => {
  const worse = statusOn([
    [-1, 20],
    [0, 700],
    [1, 150],
  ]);
  t.equal(worse.finding, 'worse');
  t.equal(worse.kind, 'fail');
});

t.test('they never prove anything, and hold nothing up', async (t) => {
  const same = statusOn([
    [-1, 50],
    [0, 5_000],
    [1, 50],
  ]);
  t.equal(same.finding, 'undecided');
  t.equal(same.role, 'reject');
  t.not(same.kind, 'fail');
});

t.test('without a declared window they say nothing', async (t) => {
  const { labels: _, ...spec } = aSpec({ steps: STEPS, rules: 2 });
  const liveLoss = { differences: differences([1, 500]), places: {}, countedUntilMs: 0, units: {} };
  const { metrics } = decide({ evidence: goodEvidence({ liveLoss }), spec, require: ['errors'] });
  const status = metrics.find(({ metric }) => metric === 'liveLoss');
  t.equal(status?.finding, 'undecided');
  t.match(status?.missing, /labels\.window/);
});

t.test('under the first rules there is no such metric', async (t) => {
  const { finding, missing } = statusOn([[1, 500]], { rules: 1 });
  t.equal(finding, 'undecided');
  t.match(missing, /version 1/);
});
