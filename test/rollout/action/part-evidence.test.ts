import t from 'tap';
import { type ArmCounts, type Evidence, NO_EVIDENCE } from '../../../src/core/evidence.ts';
import type { Phase, Rollout } from '../../../src/core/rollout.ts';
import { judgeErrors } from '../../../src/decide/errors.ts';
import { advance } from '../../../src/rollout/action/advance.ts';
import type { Decide } from '../../../src/rollout/action/judge.ts';
import { judge } from '../../../src/rollout/action/judge.ts';
import { partEvidence } from '../../../src/rollout/action/part-evidence.ts';
import { liveMark } from '../../../src/rollout/action/step-evidence.ts';
import { aRollout, aSpec, aStatus, aVerdict, PROVE } from '../builders.ts';

const HOUR = 3_600_000;
const HOLDBACK = { percent: 5, durationMs: 8 * HOUR };
const AT = '500:500';

function arm(requests: number): ArmCounts {
  const counts = { units: requests, timedUnits: requests, errors: 0, slow: 1 };
  return { requests, ...counts, erredRequests: 0, slowRequests: 1 };
}

/** So many requests of each arm, of which so many of the candidate failed, and blocks that begin at these moments. */
function seen(requests: number, failed: number, blocksAtMs: readonly number[]): Evidence {
  const fine = requests - failed;
  return {
    ...NO_EVIDENCE,
    live: { [AT]: { candidate: arm(requests), reference: arm(requests) } },
    liveErrors: {
      [AT]: { candidate: { '0/1': fine, '1/1': failed }, reference: { '0/1': requests } },
    },
    slowBlocks: Object.fromEntries(
      blocksAtMs.map((atMs) => [`1000:${atMs / 1000}`, [9, 1, 9, 1] as const]),
    ),
  };
}

function held(part: { number: number; sinceMs: number } | undefined, before: Evidence): Rollout {
  const at = { kind: 'holdback', step: 1, sinceMs: 0, untilMs: 8 * HOUR } as const;
  const phase: Phase = part === undefined ? at : { ...at, part };
  const spec = aSpec({ steps: [PROVE, { kind: 'promote', holdback: HOLDBACK }] });
  const rollout = aRollout({ spec, phase, heldBackSinceMs: 0 });
  return part === undefined ? rollout : { ...rollout, liveAtStep: liveMark(before) };
}

const BEFORE = seen(100, 2, [0, HOUR - 1000]);
const NOW = seen(130, 9, [0, HOUR - 1000, HOUR, HOUR + 1000]);
const SECOND = { number: 2, sinceMs: HOUR };

t.test('a part of a holdback has seen what came since it began', (t) => {
  const added = partEvidence(held(SECOND, BEFORE), NOW);
  const counts = { requests: 30, units: 30, timedUnits: 30, slow: 0, slowRequests: 0 };
  t.match(added?.live[AT], { candidate: counts, reference: counts });
  t.same(added?.liveErrors, {
    [AT]: { candidate: { '0/1': 23, '1/1': 7 }, reference: { '0/1': 30 } },
  });
  t.same(Object.keys(added?.slowBlocks ?? {}), ['1000:3600', '1000:3601']);
  t.equal(partEvidence(held(undefined, BEFORE), NOW), undefined, 'the first part is all of it');
  t.end();
});

/** Requests of each arm that count, failed ones of them, and those under the cover of an event beside. */
type Arm = { readonly fine: number; readonly failed: number; readonly covered: number };

function felt(candidate: Arm, reference: Arm): Evidence {
  const shares = ({ fine, failed }: Arm) => ({ '0/1': fine, '1/1': failed });
  const feltOf = ({ fine, failed, covered }: Arm) => ({
    requests: fine + failed + covered,
    failed: failed + covered,
  });
  return {
    ...NO_EVIDENCE,
    liveErrors: { [AT]: { candidate: shares(candidate), reference: shares(reference) } },
    liveFelt: { [AT]: { candidate: feltOf(candidate), reference: feltOf(reference) } },
  };
}

t.test('what an event of an earlier part took along does not hide harm in a later one', (t) => {
  const incident = { fine: 5_000, failed: 1, covered: 400 };
  const before = felt({ fine: 5_000, failed: 0, covered: 0 }, incident);
  const worse = { fine: 5_950, failed: 50, covered: 0 };
  const now = felt(worse, { ...incident, fine: 6_000 });
  const first = held(undefined, before);
  const action = { kind: 'enterStep', step: 1, why: 'part 2' } as const;
  const second = advance(first, { action, atMs: HOUR, evidence: before });
  const seenInPart = partEvidence(second, now);
  t.same(seenInPart?.liveFelt, {
    [AT]: { candidate: { requests: 1_000, failed: 50 }, reference: { requests: 1_000, failed: 0 } },
  });
  const { proof } = judgeErrors(seenInPart ?? NO_EVIDENCE, second.spec);
  const needed = -Math.log(0.05 / 32 / 2);
  t.ok(proof.kind === 'evidence' && proof.logHarm > needed, `${JSON.stringify(proof)}`);
  t.end();
});

/** Finds harm where this many of the candidate's requests were seen. */
function worseAfter(requests: number): Decide {
  return ({ evidence, spec }) => {
    const isWorse = evidence.live[AT]?.candidate.requests === requests;
    const samples = spec.errorBudget.falseRollback;
    const metrics = [aStatus({ finding: isWorse ? 'worse' : 'undecided', samples })];
    return aVerdict(isWorse ? 'fail' : 'inconclusive', { metrics });
  };
}

t.test('a holdback is worse by all that it has seen, or by its present part', (t) => {
  const rollout = held(SECOND, BEFORE);
  const look = { rollout, evidence: NOW, atMs: HOUR + 2000 };
  const budgets = [130, 30, 1].map((requests) => {
    const { action, verdict } = judge(worseAfter(requests), look);
    t.equal(action.kind, requests === 1 ? 'wait' : 'rollBack');
    return verdict.metrics[0]?.samples;
  });
  const whole = rollout.spec.errorBudget.falseRollback / 4;
  t.same(budgets, [whole, whole / 8, whole]);
  t.end();
});
