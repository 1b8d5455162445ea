import type { FailuresByArm } from '../core/evidence.ts';
import type { FailureCounts, FailureKind } from '../core/failure-kind.ts';
import { sortedRecord } from './difference-tally.ts';

export type OnFailure = (arm: keyof FailuresByArm, kind: FailureKind) => void;

/** Failed requests of each arm by kind. */
export class FailureTally {
  readonly #counts: Readonly<Record<keyof FailuresByArm, Map<FailureKind, number>>>;

  readonly #onFailure: OnFailure;

  /** `onFailure` is called for each that is added. */
  constructor(from: FailuresByArm | undefined, onFailure: OnFailure = () => undefined) {
    this.#onFailure = onFailure;
    this.#counts = {
      candidate: readCounts(from?.candidate),
      reference: readCounts(from?.reference),
    };
  }

  add(arm: keyof FailuresByArm, kind: FailureKind | undefined, count = 1): void {
    if (kind === undefined) return;
    const counts = this.#counts[arm];
    counts.set(kind, (counts.get(kind) ?? 0) + count);
    this.#onFailure(arm, kind);
  }

  snapshot(): FailuresByArm {
    const { candidate, reference } = this.#counts;
    return { candidate: sortedRecord(candidate), reference: sortedRecord(reference) };
  }
}

/** The failures of two windows together. */
export function addFailures(a: FailuresByArm, b: FailuresByArm): FailuresByArm {
  const sum = new FailureTally(a);
  for (const arm of ['candidate', 'reference'] as const) {
    for (const [kind, count] of readCounts(b[arm])) sum.add(arm, kind, count);
  }
  return sum.snapshot();
}

function readCounts(counts: FailureCounts = {}): Map<FailureKind, number> {
  return new Map(Object.entries(counts) as [FailureKind, number][]);
}
