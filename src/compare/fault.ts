import type { ComparatorSetting } from '../core/comparator-setting.ts';
import { type FailureKind, failureKindOf } from '../core/failure-kind.ts';
import type { LiveEnd } from '../core/messages.ts';
import type { Observation } from '../core/outcome.ts';

/** The outputs in which NaN and infinities are answers like any other. */
export type AllowedNonFinite = ReadonlySet<string>;

export function allowedNonFinite(setting: ComparatorSetting | undefined): AllowedNonFinite {
  const outputs = Object.entries(setting?.outputs ?? {});
  return new Set(
    outputs.filter(([, { nonFinite }]) => nonFinite === 'allow').map(([name]) => name),
  );
}

/**
 * In which way one side of a pair failed; undefined: it did not. What both answer with NaN neither has failed: a caller gets
 * the same from either. Of the two sides each is judged by the other in the same way, so that a version compared with itself
 * comes out even.
 */
export function faultOfSide(
  side: Observation,
  other: Observation,
  allowed: AllowedNonFinite,
): FailureKind | undefined {
  if (side.kind === 'failure') return failureKindOf(side) ?? 'runtime';
  const both = other.kind === 'answer' ? (other.nonFinite ?? []) : [];
  const own = (side.nonFinite ?? []).filter((name) => !allowed.has(name) && !both.includes(name));
  return own.length > 0 ? 'nonFinite' : undefined;
}

/**
 * In which way an arm failed a live request; undefined: it did not, or it was the caller's doing. There is no other answer to
 * hold it against: arms are compared by how often each fails.
 */
export function faultOfLive(end: LiveEnd, allowed: AllowedNonFinite): FailureKind | undefined {
  const { failure: code, failureKind, nonFinite = [] } = end;
  if (code !== undefined) return failureKindOf({ code, failureKind });
  return nonFinite.some((name) => !allowed.has(name)) ? 'nonFinite' : undefined;
}
