/** log(sum(exp(values))), without overflow. Minus infinity for no values. */
export function logSumExp(values: readonly number[] | Float64Array): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (Number.isNaN(value)) return Number.NaN;
    if (value > greatest) greatest = value;
  }
  if (!Number.isFinite(greatest)) return greatest;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - greatest);
  return greatest + Math.log(sum);
}

/** count * log(ratio), with 0 * log(0) = 0: what never happened costs nothing, however unlikely it was. */
export function countLog(count: number, ratio: number): number {
  return count === 0 ? 0 : count * Math.log(ratio);
}
