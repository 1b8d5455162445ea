import type { Comparison, Lateness } from '../core/comparison.ts';
import type { Observation, Pair } from '../core/outcome.ts';
import type { Comparator } from './comparator.ts';
import { type AllowedNonFinite, faultOfSide } from './fault.ts';

const NONE: AllowedNonFinite = new Set();

/**
 * What a pair shows. A failure is counted, never scored; noise and latency need a twin that answered. Any failure of the
 * candidate is its own, `invalid_input` included: it was given the bytes that the live version was given.
 */
export function compare(
  pair: Pair,
  comparator: Comparator,
  allowed: AllowedNonFinite = NONE,
): Comparison {
  const { stable, candidate, twin } = pair;
  const stableOutputs = stable.kind === 'answer' ? stable.outputs : undefined;
  const result =
    stableOutputs !== undefined && candidate.kind === 'answer'
      ? comparator.score(stableOutputs, candidate.outputs)
      : ({ score: undefined, difference: 'failure' } as const);
  const isTwinned = twin?.kind === 'answer';
  return {
    difference: result.difference,
    score: result.score,
    ...('distances' in result && { distances: result.distances }),
    noise:
      isTwinned && stableOutputs !== undefined
        ? comparator.score(stableOutputs, twin.outputs).score
        : undefined,
    stableFailed: stable.kind === 'failure',
    candidateFailed: candidate.kind === 'failure',
    stableFault: faultOfSide(stable, candidate, allowed),
    candidateFault: faultOfSide(candidate, stable, allowed),
    late: latenessOf(pair),
    unit: {
      sticky: pair.unit === pair.requestId ? undefined : pair.unit,
      content: pair.content,
    },
    ...(pair.drawnMs === undefined ? {} : { drawnMs: pair.drawnMs }),
    ...(pair.answeredMs === undefined ? {} : { answeredMs: pair.answeredMs }),
    shadowRun: pair.shadowRun,
    latency:
      isTwinned && candidate.kind === 'answer'
        ? { candidateMs: candidate.computeMs, twinMs: twin.computeMs, shadowRun: pair.shadowRun }
        : undefined,
  };
}

/** By the time of its own run: a failure is counted as what it is, and what a request waited for is neither's. */
function latenessOf({ candidate, twin, budgetMs, shadowRun }: Pair): Lateness | undefined {
  if (budgetMs === undefined) return undefined;
  const isLate = (run: Observation): boolean => run.kind === 'answer' && run.computeMs > budgetMs;
  return { candidate: isLate(candidate), twin: twin && isLate(twin), shadowRun };
}
