import { type DrawnCounts, type DrawnLossEvidence, levelText } from '../core/drawn-loss.ts';
import { NO_DIFFERENCES } from '../core/evidence.ts';
import { DifferenceTally, sortedRecord } from './difference-tally.ts';
import type { Draw } from './draw.ts';

/** A pair whose label window has ended, as the label queue counts it. */
export type DrawnPair = {
  /** The declared slices that it belongs to, as `sliceKey` writes them. */
  readonly slices: readonly string[];
  /** The largest difference of loss that its answers allow, in [0, 1]; 0: they are the same under the loss, which needs no label. */
  readonly most: number;
  /** Undefined where nothing differs. */
  readonly draw: Draw | undefined;
  /** What its label says; undefined: none came. */
  readonly losses: { readonly reference: number; readonly candidate: number } | undefined;
  /** Labels contradict each other: it counts as if none had come. */
  readonly isConflicting: boolean;
};

/** All requests, among the keys of slices. */
const ALL = '';

type Count = 'differing' | 'drawn' | 'answered' | 'conflicting' | 'neither';

/**
 * Counts one value per unit: the mean over its pairs of what each one's draw makes of its difference of loss. Where the answers are the
 * same that is 0; where they differ, the difference over the probability if the pair was drawn, and 0 if not, so that its mean is the
 * difference itself (label-wise: inverse probability weights). A drawn pair without a label counts as the worst that it can be, for
 * either test.
 */
export class DrawnLossTally {
  /** By slice, then by level. */
  readonly #levels = new Map<string, Map<string, DifferenceTally>>();
  readonly #counts: Record<Count, number>;

  constructor({ all, bySlice, ...counts }: DrawnLossEvidence) {
    this.#counts = { ...counts };
    for (const [key, levels] of [[ALL, all] as const, ...Object.entries(bySlice)]) {
      const tallies = Object.entries(levels).map(
        ([level, each]) => [level, new DifferenceTally(each)] as const,
      );
      this.#levels.set(key, new Map(tallies));
    }
  }

  /** The pairs of one unit; at least one. Throws a RangeError for a difference that its answers do not allow. */
  add(unit: readonly DrawnPair[]): void {
    for (const pair of unit) this.#countPair(pair);
    this.#addTo(ALL, unit);
    for (const slice of new Set(unit.flatMap(({ slices }) => slices))) {
      this.#addTo(
        slice,
        unit.filter(({ slices }) => slices.includes(slice)),
      );
    }
  }

  snapshot(): DrawnLossEvidence {
    const all = [...this.#levels].map(([key, levels]) => [key, countsOf(levels)] as const);
    const slices = all.filter(([key]) => key !== ALL);
    const own = all.find(([key]) => key === ALL)?.[1] ?? {};
    return { all: own, bySlice: sortedRecord(slices), ...this.#counts };
  }

  #countPair({ most, draw, losses, isConflicting }: DrawnPair): void {
    if (most === 0) return;
    this.#counts.differing += 1;
    if (draw?.isWanted !== true) return;
    this.#counts.drawn += 1;
    if (isConflicting) this.#counts.conflicting += 1;
    else if (losses !== undefined) {
      this.#counts.answered += 1;
      if (losses.reference === 1 && losses.candidate === 1) this.#counts.neither += 1;
    }
  }

  #addTo(key: string, unit: readonly DrawnPair[]): void {
    const values = unit.map(drawnValue);
    const inverse = Math.max(1, ...values.map((value) => value.inverse));
    const mean = (side: 'low' | 'high'): number =>
      values.reduce((sum, value) => sum + (value[side] * value.inverse) / inverse, 0) / unit.length;
    const levels = this.#levels.get(key) ?? new Map<string, DifferenceTally>();
    this.#levels.set(key, levels);
    const level = levelText(inverse);
    const tally = levels.get(level) ?? new DifferenceTally(NO_DIFFERENCES);
    levels.set(level, tally);
    tally.add(mean('low'), mean('high'));
  }
}

type DrawnValue = { readonly low: number; readonly high: number; readonly inverse: number };

const ZERO: DrawnValue = { low: 0, high: 0, inverse: 1 };

function drawnValue({ most, draw, losses, isConflicting }: DrawnPair): DrawnValue {
  if (most === 0 || draw?.isWanted !== true) return ZERO;
  const { inverse } = draw;
  if (losses === undefined || isConflicting) return { low: -most, high: most, inverse };
  const difference = losses.candidate - losses.reference;
  if (!(Math.abs(difference) <= most + ROUNDING)) {
    throw new RangeError(`difference: expected at most ${most} either way, found ${difference}`);
  }
  return { low: difference, high: difference, inverse };
}

/** What binary fractions leave of a sum over rows. */
const ROUNDING = 1e-9;

function countsOf(levels: ReadonlyMap<string, DifferenceTally>): DrawnCounts {
  return sortedRecord([...levels].map(([level, tally]) => [level, tally.snapshot()] as const));
}
