import type { PairedFailureCounts } from '../core/evidence.ts';
import { increment, sortedRecord } from './difference-tally.ts';
import { shareText } from './share-text.ts';

/** Whether either version failed one request. */
export type PairedFailure = { readonly candidate: boolean; readonly reference: boolean };

/** Counts units by how many of their requests each version failed. */
export class PairedFailureTally {
  readonly #counts: Map<string, number>;

  constructor(from: PairedFailureCounts = {}) {
    this.#counts = new Map(Object.entries(from));
  }

  /** The requests of one unit. One without any is none. */
  add(requests: readonly PairedFailure[]): void {
    if (requests.length === 0) return;
    const candidate = requests.filter((each) => each.candidate).length;
    const reference = requests.filter((each) => each.reference).length;
    increment(this.#counts, shareText([candidate, reference], requests.length));
  }

  snapshot(): PairedFailureCounts {
    return sortedRecord(this.#counts);
  }
}
