import type { CoverageBlocks, LabelledUnits } from '../core/label-evidence.ts';
import { increment, sortedRecord } from './difference-tally.ts';

/** Units of the base that one of the other side is matched with at most: more add little, and each number is a key of the evidence. */
const BASE_MAX = 16;

/** Units of the other side that wait for one of the base at most; beyond, the oldest is not matched. */
const WAITING_MAX = 64;

type Mutable = { -readonly [Key in keyof LabelledUnits]: LabelledUnits[Key] };

/** What has been counted of two sides. */
export type Sides = {
  readonly base: LabelledUnits;
  readonly other: LabelledUnits;
  readonly blocks: CoverageBlocks;
};

/**
 * Counts how often units of two sides have a label: those on which the versions agree and those on which they differ, or those of
 * the reference and of the candidate. A unit of the other side is matched with those of the base since the one before it, so that
 * a share of labels that drifts over time moves both sides of a block.
 */
export class CoverageTally {
  readonly #base: Mutable;
  readonly #other: Mutable;
  readonly #blocks: Map<string, number>;
  /** Not yet matched, oldest first; true: labelled. One of the two is always empty. */
  readonly #openBase: boolean[] = [];
  readonly #openOther: boolean[] = [];

  constructor({ base, other, blocks }: Sides) {
    this.#base = { ...base };
    this.#other = { ...other };
    this.#blocks = new Map(Object.entries(blocks));
  }

  add({ isOther, labelled }: { readonly isOther: boolean; readonly labelled: boolean }): void {
    const side = isOther ? this.#other : this.#base;
    side.units += 1;
    if (labelled) side.labelled += 1;
    if (isOther) this.#addOther(labelled);
    else this.#addBase(labelled);
  }

  snapshot(): Sides {
    return {
      base: { ...this.#base },
      other: { ...this.#other },
      blocks: sortedRecord(this.#blocks),
    };
  }

  #addOther(labelled: boolean): void {
    if (this.#openBase.length > 0) {
      this.#close(labelled, this.#openBase.splice(0));
      return;
    }
    this.#openOther.push(labelled);
    if (this.#openOther.length > WAITING_MAX) this.#openOther.shift();
  }

  #addBase(labelled: boolean): void {
    const other = this.#openOther.shift();
    if (other !== undefined) {
      this.#close(other, [labelled]);
      return;
    }
    this.#openBase.push(labelled);
    if (this.#openBase.length > BASE_MAX) this.#openBase.shift();
  }

  #close(other: boolean, base: readonly boolean[]): void {
    const labelled = base.filter(Boolean).length;
    increment(this.#blocks, `${Number(other)}/${labelled}/${base.length}`);
  }
}
