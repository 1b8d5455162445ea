import type { LabelledPair } from '../../core/comparison.ts';
import {
  type Evidence,
  inSlice,
  NO_DIFFERENCES,
  type Slice,
  sliceKey,
} from '../../core/evidence.ts';
import { DifferenceTally, sortedRecord } from '../difference-tally.ts';

type LabelEvidence = Pick<Evidence, 'labelledLoss' | 'labelledLossBySlice' | 'labels'>;

/** What labels say of mirrored pairs, counted as they come: the candidate's loss minus stable's, over all and by slice. */
export class LabelTally {
  readonly #slices: readonly Slice[];
  readonly #loss: DifferenceTally;
  readonly #bySlice = new Map<string, DifferenceTally>();
  readonly #labels: { joined: number; unmatched: number };

  constructor(slices: readonly Slice[], from: LabelEvidence) {
    this.#slices = slices;
    this.#loss = new DifferenceTally(from.labelledLoss);
    for (const [key, counts] of Object.entries(from.labelledLossBySlice)) {
      this.#bySlice.set(key, new DifferenceTally(counts));
    }
    this.#labels = { ...from.labels };
  }

  add({ attributes, candidateLoss, stableLoss }: LabelledPair): void {
    const difference = candidateLoss - stableLoss;
    this.#loss.add(difference);
    this.#labels.joined += 1;
    for (const slice of this.#slices) {
      if (!inSlice(attributes, slice)) continue;
      const key = sliceKey(slice);
      const tally = this.#bySlice.get(key) ?? new DifferenceTally(NO_DIFFERENCES);
      tally.add(difference);
      this.#bySlice.set(key, tally);
    }
  }

  addUnmatched(): void {
    this.#labels.unmatched += 1;
  }

  snapshot(): LabelEvidence {
    const bySlice = [...this.#bySlice].map(([key, tally]) => [key, tally.snapshot()] as const);
    const { joined, unmatched } = this.#labels;
    return {
      labelledLoss: this.#loss.snapshot(),
      labelledLossBySlice: sortedRecord(bySlice),
      labels: { joined, unmatched },
    };
  }
}
