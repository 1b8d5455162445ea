/** A batch that a replica has in its hands. */
export type Slot = {
  startMs: number;
  endMs: number;
  readonly runMs: number;
  next: Slot | undefined;
};

/**
 * When the batches that replicas have in their hands are expected to begin and to end. A replica has one at work and at most one
 * ahead, which begins when the one before it ends; the replica that is expected to be free first gets the next.
 */
export class Schedule {
  readonly #slots = new Set<Slot>();

  /** When a batch that is handed over now would begin. `isFree`: a replica has nothing to do. */
  nextStartMs(nowMs: number, isFree: boolean): number {
    const before = isFree ? undefined : this.#firstToEnd();
    return before === undefined ? nowMs : Math.max(nowMs, before.endMs);
  }

  /** A batch is handed over that is expected to run for `runMs`. */
  begin(nowMs: number, isFree: boolean, runMs: number): Slot {
    const before = isFree ? undefined : this.#firstToEnd();
    const startMs = this.nextStartMs(nowMs, isFree);
    const slot: Slot = { startMs, endMs: startMs + runMs, runMs, next: undefined };
    if (before !== undefined) before.next = slot;
    this.#slots.add(slot);
    return slot;
  }

  /** A batch has ended: the one behind it begins now, earlier or later than expected. */
  end(slot: Slot, nowMs: number): void {
    this.#slots.delete(slot);
    if (slot.next === undefined) return;
    slot.next.startMs = nowMs;
    slot.next.endMs = nowMs + slot.next.runMs;
  }

  #firstToEnd(): Slot | undefined {
    let first: Slot | undefined;
    for (const slot of this.#slots) {
      if (slot.next !== undefined) continue;
      if (first === undefined || slot.endMs < first.endMs) first = slot;
    }
    return first;
  }
}
