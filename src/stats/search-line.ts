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

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Where a function with one valley between `low` and `high` is least, by golden sections. */
export function findMinimum(of: (x: number) => number, low: number, high: number): number {
  let [left, right] = [low, high];
  let [a, b] = [right - GOLDEN * (right - left), left + GOLDEN * (right - left)];
  let [atA, atB] = [of(a), of(b)];
  for (let round = 0; round < 100 && right - left > 1e-12 * (high - low); round += 1) {
    if (atA <= atB) {
      [right, b, atB] = [b, a, atA];
      a = right - GOLDEN * (right - left);
      atA = of(a);
    } else {
      [left, a, atA] = [a, b, atB];
      b = left + GOLDEN * (right - left);
      atB = of(b);
    }
  }
  return (left + right) / 2;
}
