import type { Comparison } from '../core/comparison.ts';
import type { Evidence } from '../core/evidence.ts';
import { DifferenceTally } from './difference-tally.ts';

type PairEvidence = Pick<Evidence, 'disagreement' | 'excessDisagreement' | 'pairedErrors'>;

/** How the answers of mirrored pairs differ, and which side failed. */
export class PairTally {
  readonly #disagreement: DifferenceTally;
  readonly #excess: DifferenceTally;
  readonly #errors: DifferenceTally;

  constructor(from: PairEvidence) {
    this.#disagreement = new DifferenceTally(from.disagreement);
    this.#excess = new DifferenceTally(from.excessDisagreement);
    this.#errors = new DifferenceTally(from.pairedErrors);
  }

  add({ score, noise, ...of }: Comparison): void {
    const candidateFailed = of.candidateFailed || of.candidateFault !== undefined;
    const stableFailed = of.stableFailed || of.stableFault !== undefined;
    this.#errors.add(Number(candidateFailed) - Number(stableFailed));
    if (score === undefined) return;
    this.#disagreement.add(score);
    if (noise !== undefined) this.#excess.add(score - noise);
  }

  snapshot(): PairEvidence {
    return {
      disagreement: this.#disagreement.snapshot(),
      excessDisagreement: this.#excess.snapshot(),
      pairedErrors: this.#errors.snapshot(),
    };
  }
}
