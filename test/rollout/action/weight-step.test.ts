import t from 'tap';
import { type ExposureCounts, NO_EVIDENCE } from '../../../src/core/evidence.ts';
import type { Rollout, Step } from '../../../src/core/rollout.ts';
import { advance } from '../../../src/rollout/action/advance.ts';
import { type WeightState, weightState } from '../../../src/rollout/action/weight-step.ts';
import { anExposure, sharesOf } from '../../decide/builders.ts';
import { aRollout, aSpec, progressing } from '../builders.ts';

type WeightStep = Extract<Step, { kind: 'setWeight' }>;

const FIVE: WeightStep = { kind: 'setWeight', percent: 5, control: true };
const QUARTER: WeightStep = { kind: 'setWeight', percent: 25, control: true };
const HALF: WeightStep = { kind: 'setWeight', percent: 50, control: false };
const PROVE: Step = { kind: 'analysis', require: ['errors'], reject: [] };
const SPEC = aSpec({
  steps: [FIVE, QUARTER, HALF, PROVE, { kind: 'promote' }],
  minRequests: 0,
  minDurationMs: 120_000,
});
/** Enough of both arms that never fail to show the tenfold claim, and not yet the margin itself. */
const SOUND = anExposure({ units: 250 }, { units: 250 });
const LATE_MS = 1_000_000;

type Live = Readonly<Record<string, ExposureCounts>>;

function stateOf(
  rollout: Rollout,
  { step = FIVE, live, nowMs = LATE_MS }: { step?: WeightStep; live: Live; nowMs?: number },
): WeightState {
  const evidence = { ...NO_EVIDENCE, live, liveErrors: sharesOf(live) };
  return weightState({ rollout, evidence, nowMs }, { step, sinceMs: 0 });
}

function atStep(step: number, live: Live): Rollout {
  const before = aRollout({ spec: SPEC, phase: progressing(step) });
  const action = { kind: 'enterStep', step, why: 'shown' } as const;
  return advance(before, {
    action,
    atMs: 0,
    evidence: { ...NO_EVIDENCE, live, liveErrors: sharesOf(live) },
  });
}

t.test(
  'a small share is left on the tenfold claim, long before the margin is proven',
  async (t) => {
    const rollout = aRollout({ spec: SPEC });
    const state = stateOf(rollout, { live: { '500:500': SOUND } });
    t.ok(state.isDone, state.text);
    t.match(state.text, /^5 % to the candidate: errors .*10 x reference.*nothing worse$/);
  },
);

t.test('a share that has shown nothing holds, and says what it waits for', async (t) => {
  const rollout = aRollout({ spec: SPEC });
  t.match(stateOf(rollout, { live: {} }), {
    isDone: false,
    text: /^5 % to the candidate: errors .* not shown yet, no live requests of the candidate$/,
  });
  const few = anExposure({ units: 50 }, { units: 50 });
  t.match(stateOf(rollout, { live: { '500:500': few } }), {
    isDone: false,
    text: /not shown yet, about [\d,]+ more samples$/,
  });
});

t.test('what lacks most is said with its number, and what else lacks by name', async (t) => {
  const both: Step = { kind: 'analysis', require: ['errors', 'slowRequests'], reject: [] };
  const spec = { ...SPEC, steps: [FIVE, both, { kind: 'promote' } as const], minRequests: 900 };
  const few = anExposure({ units: 50 }, { units: 50 });
  const rollout = aRollout({ spec });
  const { text } = stateOf(rollout, { live: { '500:500': few }, nowMs: 60_000 });
  t.match(
    text,
    /^5 % to the candidate: (errors|slowRequests) .*; also \w+, minRequests, minDuration$/,
  );
});

t.test('a larger share asks for more: the fivefold claim', async (t) => {
  const rollout = aRollout({ spec: SPEC });
  const tenfold = anExposure({ units: 130 }, { units: 130 });
  t.ok(stateOf(rollout, { live: { '500:500': tenfold } }).isDone);
  t.notOk(stateOf(rollout, { step: QUARTER, live: { '2500:2500': tenfold } }).isDone);
  const more = anExposure({ units: 3_000 }, { units: 3_000 });
  t.ok(stateOf(rollout, { step: QUARTER, live: { '2500:2500': more } }).isDone);
});

t.test('a candidate that fails far too often holds its share', async (t) => {
  const bad = anExposure({ units: 2_000, errors: 60 }, { units: 2_000, errors: 2 });
  t.notOk(stateOf(aRollout({ spec: SPEC }), { live: { '500:500': bad } }).isDone);
});

t.test('half of the traffic asks for time alone: the analysis behind it decides', async (t) => {
  const rollout = aRollout({ spec: SPEC });
  t.ok(stateOf(rollout, { step: HALF, live: {} }).isDone);
});

t.test('evidence of the step before does not count, at another share or at the same', async (t) => {
  const earlier = { '500:500': SOUND };
  t.notOk(stateOf(atStep(1, earlier), { step: QUARTER, live: earlier }).isDone);
  t.notOk(stateOf(atStep(0, earlier), { live: earlier }).isDone, 'the same share once more');
  const twice = anExposure({ units: 500 }, { units: 500 });
  t.ok(stateOf(atStep(0, earlier), { live: { '500:500': twice } }).isDone);
});

t.test('requests assigned at the share before that end late do not count', async (t) => {
  const rollout = atStep(1, { '500:500': anExposure({ units: 10 }, { units: 10 }) });
  const late = anExposure({ units: 10_000 }, { units: 10_000 });
  t.notOk(stateOf(rollout, { step: QUARTER, live: { '500:500': late } }).isDone);
});

t.test('a share lasts its least time, regardless of what it has shown', async (t) => {
  const rollout = aRollout({ spec: SPEC });
  t.match(stateOf(rollout, { live: { '500:500': SOUND }, nowMs: 75_000 }), {
    isDone: false,
    text: '5 % to the candidate: another 45 s of minDuration 2 min',
  });
  t.ok(stateOf(rollout, { live: { '500:500': SOUND }, nowMs: 120_000 }).isDone);
});

t.test('minRequests is a floor besides what is shown', async (t) => {
  const rollout = aRollout({ spec: { ...SPEC, minRequests: 1_000 } });
  t.match(stateOf(rollout, { live: { '500:500': SOUND } }), {
    isDone: false,
    text: '5 % to the candidate: 250 of 1,000 requests answered',
  });
});

t.test('a rollout of the first rules goes by its count alone', async (t) => {
  const rollout = aRollout({ spec: { ...SPEC, rules: 1, minRequests: 100 } });
  t.match(stateOf(rollout, { live: { '500:500': SOUND }, nowMs: 0 }), {
    isDone: true,
    text: '5 % to the candidate: 250 of 100 requests answered, nothing worse',
  });
  const action = { kind: 'enterStep', step: 1, why: 'shown' } as const;
  const after = advance(rollout, { action, atMs: 0, evidence: NO_EVIDENCE });
  t.notOk('liveAtStep' in after, 'its records keep their form');
});
