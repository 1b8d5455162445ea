import fc from 'fast-check';
import t from 'tap';
import { NO_EVIDENCE } from '../../../src/core/evidence.ts';
import type { Action, Phase, Rollout, RolloutSpec } from '../../../src/core/rollout.ts';
import type { MetricStatus, VerdictKind } from '../../../src/core/verdict.ts';
import { advance, resumed } from '../../../src/rollout/action/advance.ts';
import { nextAction } from '../../../src/rollout/action/next-action.ts';
import { requiredMetrics } from '../../../src/rollout/action/required-metrics.ts';
import {
  aRollout,
  aSpec,
  aStatus,
  aVerdict,
  evidenceOf,
  paused,
  progressing,
} from '../builders.ts';

const VERDICTS: readonly VerdictKind[] = ['pass', 'fail', 'inconclusive', 'error'];
const HOUR = 3_600_000;

type At = { readonly nowMs?: number; readonly requests?: number };

function actionOf(rollout: Rollout, kind: VerdictKind, at: At = {}): Action {
  const { nowMs = 1000, requests = 0 } = at;
  const evidence = evidenceOf(kind, requests);
  return nextAction({ rollout, verdict: aVerdict(kind), evidence, nowMs });
}

t.test(
  'a candidate proven worse is rolled back in every alive state, paused included',
  async (t) => {
    const phases: readonly Phase[] = [0, 1, 2, 3, 4, 5].flatMap((step) => [
      progressing(step),
      paused(step),
    ]);
    for (const phase of phases) {
      const action = actionOf(aRollout({ phase }), 'fail', { nowMs: 5 * HOUR });
      t.match(action, { kind: 'rollBack', decidedBy: ['pairedErrors'], why: /1,240 samples/ });
    }
  },
);

t.test('what could not be measured pauses with the reason', async (t) => {
  t.match(actionOf(aRollout({ phase: progressing(1) }), 'error'), {
    kind: 'pause',
    why: 'could not measure: sample ratio mismatch',
  });
  t.match(actionOf(aRollout({ phase: paused(1) }), 'error'), { kind: 'wait', why: /mismatch/ });
});

t.test('an analysis is left on a pass and on nothing else', async (t) => {
  const rollout = aRollout({ phase: progressing(1) });
  t.match(actionOf(rollout, 'pass'), { kind: 'enterStep', step: 2 });
  t.match(actionOf(rollout, 'inconclusive'), {
    kind: 'wait',
    why: 'step 2 of 6: pairedErrors needs ~800 more pairs (646 ms at this rate). Raise percentage in setMirror, or widen margins.pairedErrors.',
  });
  const asksNothing = aSpec({
    steps: [{ kind: 'analysis', require: [], reject: [] }, { kind: 'promote' }],
  });
  t.match(actionOf(aRollout({ spec: asksNothing }), 'pass'), { kind: 'wait' });
});

t.test(
  'a weight is held until the arm has answered minRequests since the step began',
  async (t) => {
    const rollout = aRollout({ phase: progressing(2), candidateRequestsAtStep: 50 });
    t.match(actionOf(rollout, 'inconclusive', { requests: 149 }), {
      kind: 'wait',
      why: 'step 3 of 6: 10 % to the candidate: 99 of 100 requests answered',
    });
    t.match(actionOf(rollout, 'pass', { requests: 149 }), { kind: 'wait' });
    t.match(actionOf(rollout, 'inconclusive', { requests: 150 }), { kind: 'enterStep', step: 3 });
    const none = aSpec({
      steps: [{ kind: 'setWeight', percent: 0, control: false }, { kind: 'promote' }],
    });
    t.match(actionOf(aRollout({ spec: none }), 'inconclusive'), { kind: 'enterStep', step: 1 });
  },
);

t.test('an idle rollout says that it has no traffic, and since when', async (t) => {
  const rollout = aRollout({
    spec: aSpec({ rules: 2, maxDurationMs: 9 * HOUR }),
    phase: progressing(1),
    startedMs: 0,
  });
  const look = (nowMs: number, latestMs?: number) =>
    nextAction({
      rollout,
      verdict: aVerdict('inconclusive'),
      evidence: { ...NO_EVIDENCE, ...(latestMs === undefined ? {} : { latestMs }) },
      nowMs,
    });
  t.match(look(720_000), { why: /^step 2 of 6, no traffic for 12 min: pairedErrors needs/ });
  t.match(look(HOUR, HOUR - 59_000), { why: /^step 2 of 6: pairedErrors needs/ });
  t.match(look(HOUR, HOUR - 60_000), { why: /no traffic for 60 s/ });
});

t.test('an idle hour never promotes, though all is proven', async (t) => {
  const rollout = aRollout({
    spec: aSpec({ rules: 2, maxDurationMs: 9 * HOUR }),
    phase: progressing(5),
  });
  const action = (latestMs: number, nowMs: number) =>
    nextAction({
      rollout,
      verdict: aVerdict('pass'),
      evidence: { ...NO_EVIDENCE, latestMs },
      nowMs,
    });
  t.match(action(0, HOUR), {
    kind: 'wait',
    why: /no traffic for 1 h: all is proven, on traffic of an hour ago/,
  });
  t.match(action(1, HOUR), { kind: 'promote' });
});

t.test('a pause step ends with its duration, and one without on `resume`', async (t) => {
  const spec = aSpec({ steps: [{ kind: 'pause', durationMs: 60_000 }, { kind: 'promote' }] });
  const rollout = aRollout({ spec, phase: paused(0) });
  t.match(actionOf(rollout, 'inconclusive', { nowMs: 20_000 }), {
    kind: 'wait',
    why: /another 40 s/,
  });
  t.match(actionOf(rollout, 'inconclusive', { nowMs: 60_000 }), { kind: 'enterStep', step: 1 });
  const open = aSpec({ steps: [{ kind: 'pause', durationMs: undefined }, { kind: 'promote' }] });
  const waiting = aRollout({ spec: open, phase: paused(0) });
  t.match(actionOf(waiting, 'pass', { nowMs: HOUR - 1 }), { kind: 'wait', why: /until resumed/ });
  t.same(resumed(waiting, 7, NO_EVIDENCE).phase, progressing(1, 7));
  t.same(resumed(aRollout({ phase: paused(1) }), 7, NO_EVIDENCE).phase, progressing(1, 7));
});

t.test('time that is used up does what the rollout says, and says what was missing', async (t) => {
  const rollout = aRollout({ phase: progressing(4) });
  t.match(actionOf(rollout, 'inconclusive', { nowMs: HOUR }), {
    kind: 'pause',
    why: 'inconclusive after 1 h (maxDuration; extend it, promote by hand, or abort): pairedErrors needs ~800 more pairs (39 min at this rate). Raise percentage in setMirror, or widen margins.pairedErrors.',
  });
  const strict = aSpec({ onInconclusive: 'rollback' });
  for (const phase of [progressing(4), paused(4)]) {
    t.match(actionOf(aRollout({ spec: strict, phase }), 'inconclusive', { nowMs: HOUR }), {
      kind: 'rollBack',
      decidedBy: ['maxDuration'],
    });
  }
});

t.test('a promotion asks for every analysis once more', async (t) => {
  t.match(actionOf(aRollout({ phase: progressing(5) }), 'pass'), { kind: 'promote' });
  t.match(actionOf(aRollout({ phase: progressing(5) }), 'inconclusive'), { kind: 'wait' });
  const spec = aSpec({
    steps: [
      { kind: 'setMirror', percentage: 100, twin: 0 },
      { kind: 'analysis', require: ['disagreement'], reject: [] },
      { kind: 'setWeight', percent: 50, control: false },
      { kind: 'analysis', require: ['errors'], reject: [] },
      { kind: 'promote' },
    ],
  });
  t.same(
    [0, 1, 2, 3, 4].map((step) => requiredMetrics(spec, step)),
    [['disagreement'], ['disagreement'], ['errors'], ['errors'], ['disagreement', 'errors']],
  );
  const bare = aSpec({ steps: [{ kind: 'promote' }] });
  t.match(actionOf(aRollout({ spec: bare }), 'pass'), {
    kind: 'pause',
    why: /nothing can be proven/,
  });
  const endless = aSpec({ steps: [{ kind: 'setMirror', percentage: 1, twin: 0 }] });
  t.match(actionOf(aRollout({ spec: endless }), 'pass'), { kind: 'pause', why: /by hand/ });
});

t.test('with the first rules all that is missing is named, as their records have it', async (t) => {
  const slice = { tone: 'dark' };
  const verdict = aVerdict('inconclusive', {
    metrics: [
      aStatus({ metric: 'pairedErrors', slice, samples: 0, missing: 'no pair yet' }),
      aStatus({ metric: 'errors', samples: 3 }),
    ],
    reasons: ['pairedErrors{tone=dark}: no pair yet', 'the mirror saw 71 % of the sampled'],
  });
  const rollout = aRollout({ spec: aSpec({ rules: 1 }), phase: progressing(1) });
  const action = nextAction({ rollout, verdict, evidence: NO_EVIDENCE, nowMs: 3_600 });
  t.equal(
    action.why,
    'step 2 of 6, analysis waits for pairedErrors{tone=dark}: 0 samples, no pair yet; the mirror saw 71 % of the sampled',
  );
});

t.test('in any state, only a pass promotes, and only a fail or time rolls back', async () => {
  const phase = fc
    .integer({ min: 0, max: 5 })
    .chain((step) => fc.constantFrom(progressing(step), paused(step)));
  fc.assert(
    fc.property(
      fc.record({
        phase,
        kind: fc.constantFrom(...VERDICTS),
        nowMs: fc.integer({ min: 0, max: 2 * HOUR }),
        requests: fc.integer({ min: 0, max: 300 }),
        onInconclusive: fc.constantFrom('pause' as const, 'rollback' as const),
      }),
      ({ phase, kind, nowMs, requests, onInconclusive }) => {
        const rollout = aRollout({ phase, spec: aSpec({ onInconclusive }) });
        const action = actionOf(rollout, kind, { nowMs, requests });
        const after = advance(rollout, {
          action,
          atMs: nowMs,
          evidence: evidenceOf(kind, requests),
        });
        if (kind === 'fail') return after.phase.kind === 'rolledBack';
        if (action.kind === 'promote') return kind === 'pass' && after.phase.kind === 'promoted';
        if (action.kind === 'rollBack') return onInconclusive === 'rollback' && nowMs >= HOUR;
        return action.why.length > 0;
      },
    ),
  );
});

t.test('a claim that its maximum is too small for ends as onInconclusive says', async (t) => {
  const endOf = (
    fields: Partial<RolloutSpec>,
    { atBest, nowMs = 1000 }: { atBest: MetricStatus['atBest']; nowMs?: number },
  ): Action => {
    const spec = aSpec({ maxDurationMs: HOUR, ...fields });
    const status = aStatus({ samplesToGo: 41_000, ...(atBest && { atBest }) });
    const verdict = aVerdict('inconclusive', { metrics: [status] });
    const rollout = aRollout({ spec, phase: progressing(1) });
    return nextAction({ rollout, verdict, evidence: NO_EVIDENCE, nowMs });
  };
  const max = { maxSamples: 10_000 };
  t.match(endOf(max, { atBest: 'futile' }), {
    kind: 'pause',
    why: /^futile: pairedErrors has seen 1,240 pairs, 41,000 more are needed at the present estimate, and the maximum is 10,000 \(maxSamples\): promote by hand/,
  });
  t.match(endOf({ ...max, onInconclusive: 'rollback' }, { atBest: 'futile' }), {
    kind: 'rollBack',
    decidedBy: ['maxSamples'],
  });
  t.match(endOf({}, { atBest: 'futile' }), { kind: 'wait' }, 'no maximum');
  t.match(endOf(max, { atBest: undefined }), { kind: 'wait' }, 'nothing can be said yet');
  const slow = { atBest: { samplesToGo: 4_000 } };
  t.match(endOf(max, { ...slow, nowMs: HOUR / 10 }), { kind: 'wait' }, 'too early to know a rate');
  t.match(endOf(max, { ...slow, nowMs: HOUR / 2 }), {
    kind: 'pause',
    why: /41,000 more are needed .*, which takes 1 h 37 min at least at this rate, and 30 min are left \(maxDuration\)/,
  });
  const soon = { atBest: { samplesToGo: 400 } };
  t.match(endOf(max, { ...soon, nowMs: HOUR / 2 }), { kind: 'wait' }, 'in time');
});
