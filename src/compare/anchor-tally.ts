import type { AnchorEvidence } from '../core/evidence.ts';
import type { Pair } from '../core/outcome.ts';
import type { Comparator } from './comparator.ts';
import { DifferenceTally } from './difference-tally.ts';

type AnchorPairs = Pick<AnchorEvidence, 'answered' | 'failed' | 'disagreement'>;

/** What pairs with the anchor's answer show without a label: whether it answered, and how far the candidate differs from it. */
export class AnchorTally {
  readonly #comparator: Comparator;
  readonly #disagreement: DifferenceTally;
  #answered: number;
  #failed: number;

  constructor(comparator: Comparator, from: AnchorPairs) {
    this.#comparator = comparator;
    this.#disagreement = new DifferenceTally(from.disagreement);
    this.#answered = from.answered;
    this.#failed = from.failed;
  }

  add({ anchor, candidate }: Pick<Pair, 'anchor' | 'candidate'>): void {
    if (anchor === undefined) return;
    if (anchor.kind === 'failure') {
      this.#failed += 1;
      return;
    }
    this.#answered += 1;
    if (candidate.kind !== 'answer') return;
    const { score } = this.#comparator.score(anchor.outputs, candidate.outputs);
    if (score !== undefined) this.#disagreement.add(score);
  }

  snapshot(): AnchorPairs {
    return {
      answered: this.#answered,
      failed: this.#failed,
      disagreement: this.#disagreement.snapshot(),
    };
  }
}
