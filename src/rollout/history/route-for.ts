import { holdbackOf } from '../../core/holdback.ts';
import {
  anchorBeside,
  isFinal,
  type Rollout,
  type RolloutSpec,
  type Step,
} from '../../core/rollout.ts';
import {
  ALL_BP,
  basisPoints,
  type MirrorSetting,
  type Route,
  type Share,
} from '../../core/route.ts';
import { stepOf } from '../action/advance.ts';

/**
 * The route that a rollout's phase and step demand, from the model's present one; the revision is left to the writer.
 * The candidate's share grows from the low end of the line and control's from the high end, so that a unit which is in
 * either stays in it while they grow. The salt is the rollout's own: each trial draws its units independently.
 */
export function routeFor(rollout: Rollout, base: Route): Route {
  const { spec, phase } = rollout;
  // Nobody is sent anywhere else before the trial begins.
  if (phase.kind === 'loading') return base;
  if (isFinal(phase)) {
    const stable = phase.kind === 'promoted' ? spec.candidate : spec.stable;
    return { ...base, stable, shares: allTo(stable), mirror: undefined };
  }
  if (phase.kind === 'holdback') return heldBackFrom(spec, base);
  const done = spec.steps.slice(0, stepOf(phase) + 1);
  return {
    ...base,
    stable: spec.stable,
    salt: spec.salt,
    shares: sharesOf(rollout, lastOf(done, 'setWeight')),
    mirror: mirrorOf(rollout, lastOf(done, 'setMirror')),
  };
}

/**
 * The candidate as stable, and a part of the traffic on the former version. That is compared with a part of the candidate's as
 * large, in a process of its own: pauses come as often in a small arm as in a large one, and would weigh more in the smaller. Both
 * parts keep the units that the trial drew there.
 */
function heldBackFrom(spec: RolloutSpec, base: Route): Route {
  const { candidate, stable, salt } = spec;
  const heldBp = basisPoints(holdbackOf(spec)?.percent ?? 0);
  const shares: readonly Share[] = [
    { arm: 'candidate', version: candidate, weightBp: heldBp },
    { arm: 'stable', version: candidate, weightBp: ALL_BP - 2 * heldBp },
    { arm: 'control', version: stable, weightBp: heldBp },
  ];
  const held = shares.filter((share) => share.weightBp > 0);
  return { ...base, stable: candidate, salt, shares: held, mirror: undefined };
}

/** All of the traffic to one version as stable. */
export function allTo(version: string): readonly Share[] {
  return [{ arm: 'stable', version, weightBp: ALL_BP }];
}

/** The share of the candidate that the steps so far ask for, in basis points. */
export function setWeightBp(rollout: Rollout): number {
  if (rollout.phase.kind === 'promoted') return ALL_BP;
  if (rollout.phase.kind === 'holdback')
    return ALL_BP - basisPoints(holdbackOf(rollout.spec)?.percent ?? 0);
  if (isFinal(rollout.phase) || rollout.phase.kind === 'loading') return 0;
  const done = rollout.spec.steps.slice(0, stepOf(rollout.phase) + 1);
  return basisPoints(lastOf(done, 'setWeight')?.percent ?? 0);
}

function sharesOf(
  rollout: Rollout,
  weight: Extract<Step, { kind: 'setWeight' }> | undefined,
): readonly Share[] {
  const { stable, candidate } = rollout.spec;
  const candidateBp = basisPoints(weight?.percent ?? 0);
  const restBp = ALL_BP - candidateBp;
  // From half on there is not enough left for a control as large as the candidate: it takes what there is.
  const controlBp = weight?.control === true ? Math.min(candidateBp, restBp) : 0;
  const shares: readonly Share[] = [
    { arm: 'candidate', version: candidate, weightBp: candidateBp },
    { arm: 'stable', version: stable, weightBp: restBp - controlBp },
    { arm: 'control', version: stable, weightBp: controlBp },
  ];
  return shares.filter((share) => share.weightBp > 0);
}

function mirrorOf(
  rollout: Rollout,
  step: Extract<Step, { kind: 'setMirror' }> | undefined,
): MirrorSetting | undefined {
  if (step === undefined || step.percentage === 0) return undefined;
  const { candidate } = rollout.spec;
  const [sampleBp, twinBp] = [basisPoints(step.percentage), basisPoints(step.twin)];
  const beside = anchorBeside(rollout.spec);
  if (beside === undefined) return { version: candidate, sampleBp, twinBp };
  const { share, ...anchor } = beside;
  return {
    version: candidate,
    sampleBp,
    twinBp,
    anchor: { ...anchor, shareBp: basisPoints(share) },
  };
}

function lastOf<Kind extends Step['kind']>(
  steps: readonly Step[],
  kind: Kind,
): Extract<Step, { kind: Kind }> | undefined {
  return steps.findLast((step): step is Extract<Step, { kind: Kind }> => step.kind === kind);
}
