import type { LabelCoverage, LabelledUnits } from '../core/label-evidence.ts';
import { increment, sortedRecord } from './difference-tally.ts';

/** Agreeing units that one differing unit is matched with at most: more add little, and each number is a key of the evidence. */
const AGREEING_MAX = 16;

/** Differing units that wait for an agreeing one at most; beyond, the oldest is not matched. */
const DIFFERING_MAX = 64;

type Mutable = { -readonly [Key in keyof LabelledUnits]: LabelledUnits[Key] };

/**
 * Counts how often units have a label, by whether the versions differ on them. A differing unit is matched with the agreeing units
 * since the one before it, so that a share of labels that drifts over time moves both sides of a block.
 */
export class CoverageTally {
  readonly #agreeing: Mutable;
  readonly #differing: Mutable;
  readonly #blocks: Map<string, number>;
  /** Not yet matched, oldest first; true: labelled. One of the two is always empty. */
  readonly #openAgreeing: boolean[] = [];
  readonly #openDiffering: boolean[] = [];

  constructor({ agreeing, differing, blocks }: LabelCoverage) {
    this.#agreeing = { ...agreeing };
    this.#differing = { ...differing };
    this.#blocks = new Map(Object.entries(blocks));
  }

  add({ differs, labelled }: { readonly differs: boolean; readonly labelled: boolean }): void {
    const side = differs ? this.#differing : this.#agreeing;
    side.units += 1;
    if (labelled) side.labelled += 1;
    if (differs) this.#addDiffering(labelled);
    else this.#addAgreeing(labelled);
  }

  snapshot(): LabelCoverage {
    return {
      agreeing: { ...this.#agreeing },
      differing: { ...this.#differing },
      blocks: sortedRecord(this.#blocks),
    };
  }

  #addDiffering(labelled: boolean): void {
    if (this.#openAgreeing.length > 0) {
      this.#close(labelled, this.#openAgreeing.splice(0));
      return;
    }
    this.#openDiffering.push(labelled);
    if (this.#openDiffering.length > DIFFERING_MAX) this.#openDiffering.shift();
  }

  #addAgreeing(labelled: boolean): void {
    const differing = this.#openDiffering.shift();
    if (differing !== undefined) {
      this.#close(differing, [labelled]);
      return;
    }
    this.#openAgreeing.push(labelled);
    if (this.#openAgreeing.length > AGREEING_MAX) this.#openAgreeing.shift();
  }

  #close(differing: boolean, agreeing: readonly boolean[]): void {
    const labelled = agreeing.filter(Boolean).length;
    increment(this.#blocks, `${Number(differing)}/${labelled}/${agreeing.length}`);
  }
}
