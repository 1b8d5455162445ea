import { randomBytes } from 'node:crypto';

/** Randomness, passed in, so that a run can be repeated from its seed. */
export type Random = {
  /** A number in [0, 1). */
  readonly unit: () => number;
  /** A whole number in [0, below). */
  readonly integer: (below: number) => number;
};

/**
 * A seeded generator: xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it), its state filled by
 * SplitMix32. Not for secrets.
 */
export function seededRandom(seed: number): Random {
  const next = splitMix32(seed);
  let [a, b, c, d] = [next(), next(), next(), next()];
  const word = (): number => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result;
  };
  const unit = (): number => ((word() >>> 5) * 67_108_864 + (word() >>> 6)) / 9_007_199_254_740_992;
  return { unit, integer: (below) => Math.floor(unit() * below) };
}

/** A generator seeded by the operating system. */
export function freshRandom(): Random {
  return seededRandom(randomBytes(4).readUInt32LE(0));
}

function rotl(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function splitMix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}
