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

const UNASKED = { windowMs: 60_000, selection: 'arrival' } as const;

/** Labels for the given parts of 2,000 units of each arm. */
function places(candidate: number, reference: number): Evidence['liveLoss'] {
  const units = 2_000;
  const matched = Math.round(reference * 10);
  const at = {
    candidate: { units, labelled: Math.round(candidate * units) },
    reference: { units, labelled: Math.round(reference * units) },
    blocks: {
      [`1/${matched}/10`]: Math.round(candidate * units),
      [`0/${matched}/10`]: Math.round((1 - candidate) * units),
    },
  };
  return {
    differences: { down: {}, up: {} },
    places: { '5000:5000': at },
    countedUntilMs: 0,
    units: {},
  };
}

function statusOn(
  values: readonly [number, number][],
  spec: Partial<RolloutSpec> = {},
  from: Evidence['liveLoss'] = places(0.5, 0.5),
) {
  const liveLoss = {
    places: {},
    ...from,
    differences: differences(...values),
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

const SAME: [number, number][] = [
  [-1, 50],
  [0, 5_000],
  [1, 50],
];

t.test('labels that come unasked never prove anything, and hold nothing up', async (t) => {
  const same = statusOn(SAME, { labels: UNASKED });
  t.equal(same.finding, 'undecided');
  t.equal(same.role, 'reject');
  t.equal(same.missing, undefined);
  t.not(same.kind, 'fail');
  const required = [
    ...STEPS.slice(0, 1),
    { kind: 'analysis', require: ['liveLoss'], reject: ['errors'] } as const,
  ];
  const asked = statusOn(SAME, { labels: UNASKED, steps: required });
  t.equal(asked.finding, 'undecided');
  t.match(asked.missing, /declare labels\.selection: random/);
});

t.test(
  'a declared random sample proves no worse once both arms are shown to be labelled alike',
  async (t) => {
    t.equal(statusOn(SAME).finding, 'nonInferior');
    t.match(statusOn(SAME).margin, /labels declared random/);
    const more = statusOn(SAME, {}, places(0.8, 0.4));
    t.equal(more.finding, 'undecided');
    t.match(
      more.missing,
      /no random sample: labels came for 80\.0 % of 2,000 of the candidate and 40\.0 % of 2,000 of the reference/,
    );
    const none = { differences: { down: {}, up: {} }, places: {}, countedUntilMs: 0, units: {} };
    t.match(statusOn(SAME, {}, none).missing, /not yet shown/, 'as in evidence of before');
  },
);

t.test('labels that come more often for one arm still reject', async (t) => {
  const worse = [
    [-1, 20],
    [0, 700],
    [1, 150],
  ] as [number, number][];
  t.equal(statusOn(worse, {}, places(0.8, 0.4)).finding, 'worse');
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
