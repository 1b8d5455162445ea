import { type Draw, drawOf } from '../compare/draw.ts';
import { DrawnLossTally, type DrawnPair } from '../compare/drawn-loss-tally.ts';
import type { KeptAnswer, LossRule } from '../compare/losses/loss-rule.ts';
import {
  type DrawnLossEvidence,
  type LabelQueuePlan,
  NO_DRAWN,
  readLevel,
} from '../core/drawn-loss.ts';
import type { Evidence } from '../core/evidence.ts';

/** The draw of a pair as it is stored: one over its probability, and 1 where its label is wanted. */
export type StoredDraw = readonly [inverse: number, wanted: 0 | 1];

/** What is kept of a pair for its label: the answers of stable, of the candidate, and of the anchor where it answered. */
export type DrawnAnswers = {
  readonly stable: KeptAnswer;
  readonly candidate: KeptAnswer;
  readonly anchor: KeptAnswer | undefined;
};

/** A drawn pair whose window has ended. */
export type DrawnUnitPair = DrawnAnswers & {
  /** As `sliceKey` writes them. */
  readonly slices: readonly string[];
  /** Undefined: nothing differed. */
  readonly draw: StoredDraw | undefined;
  /** Of stable, of the candidate, of the anchor; undefined: no label came. */
  readonly losses: readonly number[] | undefined;
  readonly isConflicting: boolean;
};

export type DrawnLossesOptions = {
  readonly queue: LabelQueuePlan;
  /** Of the rollout. */
  readonly salt: string;
  /** Says how far the losses of two answers can differ. */
  readonly rule: LossRule;
  readonly from: Pick<Evidence, 'drawnLoss' | 'anchor'>;
};

type DrawnSnapshot = {
  readonly drawnLoss: DrawnLossEvidence;
  /** Against the anchor. */
  readonly anchor: DrawnLossEvidence;
};

/** The label queue's side of one rollout: draws the pairs whose label is wanted, and counts them once their window has ended. */
export class DrawnLosses {
  readonly #options: DrawnLossesOptions;
  readonly #tally: DrawnLossTally;
  readonly #anchor: DrawnLossTally;

  constructor(options: DrawnLossesOptions) {
    this.#options = options;
    this.#tally = new DrawnLossTally(options.from.drawnLoss ?? NO_DRAWN);
    this.#anchor = new DrawnLossTally(options.from.anchor?.drawnLoss ?? NO_DRAWN);
  }

  /**
   * The draw of a pair, before any label can decide about it. Undefined where all answers are the same under the loss. A request of
   * several rows is one draw, and so are its comparisons with stable and with the anchor.
   */
  draw(answers: DrawnAnswers, requestId: string): StoredDraw | undefined {
    const most = Math.max(this.#mostToStable(answers), this.#mostToAnchor(answers));
    if (most === 0) return undefined;
    const { inverse, isWanted } = drawOf(most, { ...this.#options, requestId });
    return [inverse, isWanted ? 1 : 0];
  }

  /** The pairs of one unit; at least one. */
  add(unit: readonly DrawnUnitPair[]): void {
    this.#tally.add(unit.map((pair) => drawnPair(pair, this.#mostToStable(pair), 0)));
    const anchored = unit.filter(({ anchor }) => anchor !== undefined);
    if (anchored.length === 0) return;
    this.#anchor.add(anchored.map((pair) => drawnPair(pair, this.#mostToAnchor(pair), 2)));
  }

  snapshot(): DrawnSnapshot {
    return { drawnLoss: this.#tally.snapshot(), anchor: this.#anchor.snapshot() };
  }

  #mostToStable({ stable, candidate }: DrawnAnswers): number {
    return this.#options.rule.apart(stable, candidate);
  }

  #mostToAnchor({ anchor, candidate }: DrawnAnswers): number {
    return anchor === undefined ? 0 : this.#options.rule.apart(anchor, candidate);
  }
}

/** Reads a draw of an earlier process; undefined: it is broken. */
export function isStoredDraw(stored: unknown): stored is StoredDraw {
  if (!Array.isArray(stored) || stored.length !== 2) return false;
  const [inverse, wanted] = stored as readonly unknown[];
  const isLevel = inverse === 1 || readLevel(`1/${String(inverse)}`) === inverse;
  return isLevel && (wanted === 0 || wanted === 1);
}

/** `reference`: the place of its loss. */
function drawnPair(
  { slices, draw, losses, isConflicting }: DrawnUnitPair,
  most: number,
  reference: 0 | 2,
): DrawnPair {
  const [ofReference, ofCandidate] = [losses?.[reference], losses?.[1]];
  const isLabelled = ofReference !== undefined && ofCandidate !== undefined;
  return {
    slices,
    most,
    draw: most === 0 ? undefined : drawRead(draw),
    losses: isLabelled ? { reference: ofReference, candidate: ofCandidate } : undefined,
    isConflicting,
  };
}

/** A pair that differs always has its draw. Without one it counts as a certain draw, so that it cannot be left out. */
function drawRead([inverse, wanted]: StoredDraw = [1, 1]): Draw {
  return { inverse, isWanted: wanted === 1 };
}
