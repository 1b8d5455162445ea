import { holdbackOf, holdbackSpec } from '../../core/holdback.ts';
import type { Step } from '../../core/rollout.ts';
import { type SmallestEffect, smallestEffects } from './smallest.ts';
import { HOUR_MS, type WalkOptions } from './walk.ts';

/** What a holdback takes, and what it can find. */
export type PlanHoldback = {
  readonly percent: number;
  readonly hours: number;
  /** Requests to the former version, and as many to the part of the candidate's that it is compared with; undefined: the rate is not known. */
  readonly requests: number | undefined;
  /** The least harm of each metric that is expected to undo the promotion in that time; empty where the rate is not known. */
  readonly smallest: readonly SmallestEffect[];
};

/** Of a specification without a holdback: undefined. */
export function planHoldback(known: WalkOptions): PlanHoldback | undefined {
  const { spec, requestsPerSecond } = known;
  const holdback = holdbackOf(spec);
  if (holdback === undefined) return undefined;
  const { percent, durationMs } = holdback;
  const watch = holdbackSpec(spec, holdback);
  const arms: Step = { kind: 'setWeight', percent, control: true };
  const held = { ...watch, steps: [arms, ...watch.steps], maxDurationMs: durationMs };
  const all = requestsPerSecond && (requestsPerSecond * durationMs) / 1000;
  return {
    percent,
    hours: durationMs / HOUR_MS,
    requests: all && Math.ceil((all * percent) / 100),
    smallest: smallestEffects({ ...known, spec: held }),
  };
}
