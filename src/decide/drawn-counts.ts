import { type DrawnCounts, readLevel } from '../core/drawn-loss.ts';
import type { ValueCounts } from '../stats/bets.ts';
import { type Differences, readDifferences } from './value-counts.ts';

const NONE: Differences = { down: [], up: [], samples: 0, above: 0, below: 0, mean: undefined };

/**
 * Reads drawn differences as the values that are tested: those of each level times the inverse of its probability, all levels together,
 * as one bet is laid on them. Undefined where they are not what they should be: an unknown level, or a value of more than `most` either way.
 */
export function readDrawn(counts: DrawnCounts, most: number): Differences | undefined {
  let all = NONE;
  for (const [text, differences] of Object.entries(counts)) {
    const inverse = readLevel(text);
    if (inverse === undefined) return undefined;
    const range = Math.min(1, most / inverse);
    const read = readDifferences(differences, { lower: -range, upper: range });
    if (read === undefined) return undefined;
    all = sum(all, read, inverse);
  }
  return all;
}

function sum(all: Differences, level: Differences, inverse: number): Differences {
  const samples = all.samples + level.samples;
  const total = (all.mean ?? 0) * all.samples + (level.mean ?? 0) * inverse * level.samples;
  return {
    down: joined(all.down, level.down, inverse),
    up: joined(all.up, level.up, inverse),
    samples,
    above: all.above + level.above,
    below: all.below + level.below,
    mean: samples === 0 ? undefined : total / samples + 0,
  };
}

/** In ascending order, each value once, so that the same counts give the same bits. */
function joined(all: ValueCounts, level: ValueCounts, inverse: number): ValueCounts {
  const counts = new Map(all);
  for (const [value, count] of level) {
    const scaled = value * inverse;
    counts.set(scaled, (counts.get(scaled) ?? 0) + count);
  }
  return [...counts].sort(([a], [b]) => a - b);
}
