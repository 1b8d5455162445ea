/** Terms summed as they are before the rest is estimated. */
const TERMS = 20;

/** B(2k) / (2k)! for k = 1, 2, ... */
const CORRECTIONS = [1 / 12, -1 / 720, 1 / 30_240, -1 / 1_209_600, 1 / 47_900_160];

/** Riemann's zeta function for s > 1, by Euler and Maclaurin's formula (DLMF 25.2.9). About 15 digits. */
export function zeta(s: number): number {
  let sum = 0;
  for (let n = 1; n < TERMS; n += 1) sum += n ** -s;
  sum += TERMS ** (1 - s) / (s - 1) + TERMS ** -s / 2;
  let rising = s;
  let power = TERMS ** (-s - 1);
  CORRECTIONS.forEach((correction, index) => {
    sum += correction * rising * power;
    rising *= (s + 2 * index + 1) * (s + 2 * index + 2);
    power /= TERMS * TERMS;
  });
  return sum;
}
