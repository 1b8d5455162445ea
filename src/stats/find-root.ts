/** Where a function that changes sign between `low` and `high` crosses zero: halved until two floats are left. */
export function findRoot(of: (x: number) => number, low: number, high: number): number {
  let [left, right] = [low, high];
  const risesFromBelow = of(left) < 0;
  for (let round = 0; round < 200; round += 1) {
    const middle = (left + right) / 2;
    if (middle === left || middle === right) break;
    if (of(middle) < 0 === risesFromBelow) left = middle;
    else right = middle;
  }
  return (left + right) / 2;
}
