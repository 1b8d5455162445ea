import { ATTEMPT_DAYS } from '../../core/attempt.ts';
import type { PastAttempt, Weights } from '../../core/model-history.ts';

const WINDOW_MS = ATTEMPT_DAYS * 86_400_000;

/** Attempts remembered of one model. So many in a month leave none of them any budget to speak of. */
const ATTEMPTS_MAX = 1_000;

/** With one more; those that are too old to count are left out. */
export function attemptsWith(
  attempts: readonly PastAttempt[],
  next: PastAttempt,
): readonly PastAttempt[] {
  return [...attempts.filter((each) => counts(each, next.atMs)), next].slice(-ATTEMPTS_MAX);
}

/** Which attempt at these weights over this stable version the next one is, from 1. */
export function attemptNumber(
  attempts: readonly PastAttempt[],
  weights: Weights,
  nowMs: number,
): number {
  const same = attempts.filter(
    (each) =>
      counts(each, nowMs) &&
      each.weights.stable === weights.stable &&
      each.weights.candidate === weights.candidate,
  );
  return same.length + 1;
}

/** What the two versions of a trial compute; undefined where one of them is not known. */
export function weightsOfTrial(
  spec: { readonly model: string; readonly stable: string; readonly candidate: string },
  weightsOf: (model: string, version: string) => string | undefined,
): Weights | undefined {
  const [stable, candidate] = [spec.stable, spec.candidate].map((version) =>
    weightsOf(spec.model, version),
  );
  return stable === undefined || candidate === undefined ? undefined : { stable, candidate };
}

function counts({ atMs }: PastAttempt, nowMs: number): boolean {
  return nowMs - atMs < WINDOW_MS;
}
