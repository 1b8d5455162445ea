/** How the label queue draws, of `labels.queue`. Both are powers of two: 1, 1/2, 1/4 and so on. */
export type LabelQueuePlan = {
  /** The probability that a pair is drawn whose answers differ as much as they can. */
  readonly probability: number;
  /** The least probability of any pair whose answers differ; at most `probability`. */
  readonly minProbability: number;
};

/** No probability is smaller: one label would stand for more pairs than a trial has. */
export const DRAW_PROBABILITY_MIN = 1 / 1024;

/**
 * Differences of loss by level, one value per unit. Keyed by the level's probability as text (`1`, `1/2`, `1/4`): each value counts
 * as many times as that is less than 1, so `1` at level `1/4` is 4. An unanswered pair is the worst in `down` and in `up`.
 */
export type DrawnCounts = Readonly<Record<string, LevelCounts>>;

/** As `DifferenceCounts` of the evidence. */
type LevelCounts = {
  readonly down: Readonly<Record<string, number>>;
  readonly up: Readonly<Record<string, number>>;
};

/** Of a rollout with `labels.selection: drawn`: every unit whose label window has ended, with or without a label. */
export type DrawnLossEvidence = {
  readonly all: DrawnCounts;
  /** By slice, as `sliceKey` writes it. */
  readonly bySlice: Readonly<Record<string, DrawnCounts>>;
  /** Pairs whose answers differ under the loss. */
  readonly differing: number;
  /** Those of them that were drawn: their labels were wanted. */
  readonly drawn: number;
  /** Those of them with a label by the end of their window, and with labels that contradict each other, which counts as none. */
  readonly answered: number;
  readonly conflicting: number;
  /** Answered ones whose label equals neither version's answer. */
  readonly neither: number;
};

export const NO_DRAWN: DrawnLossEvidence = {
  all: {},
  bySlice: {},
  differing: 0,
  drawn: 0,
  answered: 0,
  conflicting: 0,
  neither: 0,
};

/** A probability of a draw as text: `1`, `1/2`, `1/4`. `inverse` is a power of two. */
export function levelText(inverse: number): string {
  return inverse === 1 ? '1' : `1/${inverse}`;
}

/** Reads what `levelText` writes: the inverse of the probability; undefined: it is no power of two that may be declared. */
export function readLevel(text: string): number | undefined {
  const [, denominator = text === '1' ? '1' : ''] = /^1\/(\d{1,4})$/.exec(text) ?? [];
  const inverse = Number(denominator);
  const isKnown = Number.isInteger(Math.log2(inverse)) && inverse * DRAW_PROBABILITY_MIN <= 1;
  return isKnown && levelText(inverse) === text ? inverse : undefined;
}

/**
 * The largest that one value may be, either way: what bounds the one bet for all levels. A pair's probability is at least `probability`
 * times its largest difference, so that difference over the probability never exceeds 1 / `probability`; where there are several levels
 * a step of the grid of 1/1000 may come on top.
 */
export function drawnMost({ probability, minProbability }: LabelQueuePlan): number {
  const step = minProbability < probability ? 0.001 / minProbability : 0;
  return 1 / probability + step;
}
