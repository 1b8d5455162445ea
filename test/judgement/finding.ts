import type { Phase } from '../../src/core/rollout.ts';
import type { Expected, Variant } from './variants.ts';

/** What became of a variant. */
export type Finding = {
  readonly variant: Variant;
  readonly phase: Phase['kind'];
  /** What ended it for the worse. */
  readonly decidedBy: readonly string[];
  readonly why: string;
  readonly pairs: number;
  /** Live requests from the first step to the end, and those that the plan names for a candidate as good as stable. */
  readonly requests: number;
  readonly plannedRequests: number | undefined;
  /** Those that the candidate answered. */
  readonly canaryRequests: number;
  readonly seconds: number;
  /** All of the client's, before and after the trial too. */
  readonly liveRequests: number;
  readonly liveFailures: number;
};

/** A verdict costs at most so many times the requests that the plan names. */
const PLANS_MAX = 2;

/** The verdict in one word; a trial that neither ended nor was refused is inconclusive. */
export function verdictOf({ phase }: Pick<Finding, 'phase'>): Expected | 'inconclusive' {
  if (phase === 'promoted') return 'promoted';
  return phase === 'rolledBack' ? 'refused' : 'inconclusive';
}

/** What is wrong with a finding, against what is expected of its variant or, if given, of a user; empty: nothing. */
export function faultsOf(finding: Finding, expected = finding.variant.expected): readonly string[] {
  const { variant, decidedBy, requests, plannedRequests, liveFailures, why } = finding;
  const faults: string[] = [];
  const verdict = verdictOf(finding);
  if (verdict !== expected) faults.push(`expected ${expected}, found ${verdict}: ${why}`);
  const isNamed = decidedBy.some((metric) => variant.by.some((name) => name === metric));
  if (verdict === 'refused' && !isNamed) {
    const names = variant.by.join(' or ') || 'no metric';
    faults.push(`expected ${names} to refuse it, found ${decidedBy.join(', ') || 'none'}: ${why}`);
  }
  if (plannedRequests === undefined || requests > PLANS_MAX * plannedRequests) {
    const most = `at most ${PLANS_MAX} x ${plannedRequests} requests`;
    faults.push(`expected ${most}, as planned, found ${requests}`);
  }
  if (liveFailures > 0) faults.push(`expected no failed live request, found ${liveFailures}`);
  return faults;
}
