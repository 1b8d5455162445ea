import { hasNonFinite } from '../core/non-finite.ts';
import type { Observation } from '../core/outcome.ts';
import { elementCount, type Tensor } from '../core/tensor.ts';
import type { NonFiniteHit } from '../frame/frame.ts';

/**
 * Which request of a batch has a NaN or an infinity in which output, by the run. Each request's own rows are looked through, so
 * that what is found of a request does not depend on the others in its batch. `rowsOfRequests` is empty: nothing is.
 */
export function findNonFinite(
  runs: readonly Observation[],
  rowsOfRequests: readonly number[],
): readonly NonFiniteHit[] {
  if (rowsOfRequests.length === 0) return [];
  return runs.flatMap((run, at) => {
    if (run.kind === 'failure') return [];
    return run.outputs.flatMap((output) =>
      requestsHit(output, rowsOfRequests).map((request) => ({
        run: at,
        request,
        output: output.name,
      })),
    );
  });
}

/** A request that runs alone has all of an output, of any shape; one that does not divide into rows is not shared out. */
function requestsHit(output: Tensor, rowsOfRequests: readonly number[]): readonly number[] {
  if (rowsOfRequests.length === 1) return hasNonFinite(output) ? [0] : [];
  const rows = rowsOfRequests.reduce((sum, each) => sum + each, 0);
  if (output.shape[0] !== rows) return [];
  const perRow = elementCount(output.shape.slice(1));
  const hit: number[] = [];
  let start = 0;
  for (const [request, count] of rowsOfRequests.entries()) {
    if (hasNonFinite(output, start * perRow, count * perRow)) hit.push(request);
    start += count;
  }
  return hit;
}
