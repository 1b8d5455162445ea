import type { InferRequest, InferResponse } from '../core/infer.ts';
import type { Assignment, Route } from '../core/route.ts';

/**
 * The request as it is run. Where a rollout may compare the answer, it is looked through for NaN and infinities, and has all
 * outputs: a caller that wants only some of them would otherwise take itself out of the comparison, and of what labels can say.
 */
export function comparedRequest(
  given: InferRequest,
  { side, by }: Assignment,
  route: Route | undefined,
): InferRequest {
  const isCompared = side !== undefined || (by === 'split' && route?.mirror !== undefined);
  return isCompared ? { ...given, scan: true, outputs: undefined } : given;
}

/** The answer that the caller gets: the outputs that it asked for, in its order. Costs nothing where all were run for it. */
export function asAsked(
  answer: InferResponse,
  { outputs: wanted }: Pick<InferRequest, 'outputs'>,
  run: Pick<InferRequest, 'outputs'>,
): InferResponse {
  if (wanted === undefined || run.outputs === wanted) return answer;
  const outputs = wanted.flatMap((name) =>
    answer.outputs.filter((output) => output.name === name).slice(0, 1),
  );
  const nonFinite = answer.nonFinite?.filter((name) => wanted.includes(name));
  return { ...answer, outputs, nonFinite: nonFinite?.length ? nonFinite : undefined };
}
