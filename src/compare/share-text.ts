/**
 * The parts of a whole, in lowest terms: `1/2` for 5 of 10, `1:0/2` for 5 and 0 of 10. Evidence has a key for each that differs, and a look
 * takes time for each, so what is the same share is the same key.
 */
export function shareText(parts: readonly number[], whole: number): string {
  // Most units are one request.
  const divisor = whole === 1 ? 1 : parts.reduce(greatestDivisor, whole);
  return `${parts.map((part) => part / divisor).join(':')}/${whole / divisor}`;
}

function greatestDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller !== 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}
