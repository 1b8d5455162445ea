import { SerialQueue } from '../../concurrency/serial-queue.ts';
import { createTimeSlicer, type TimeSlicer } from '../../concurrency/time-slicer.ts';
import { within } from '../../concurrency/within.ts';
import { ServeError } from '../../core/errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Decide } from '../action/judge.ts';
import { type CheckedExport, exportEvidence } from './export.ts';

export type EvidenceExportsOptions = {
  readonly ledger: Pick<Ledger, 'read' | 'head'>;
  readonly decide: Decide;
  /** How long a caller waits at most, milliseconds; by default 60 s. */
  readonly msMax?: number;
  readonly slicer?: TimeSlicer;
};

/** Exports that run or wait: each reads the whole ledger. */
const PENDING_MAX = 8;
const MS_MAX = 60_000;

/**
 * Exports of the evidence of rollouts by a process that also serves: one at a time, in slices between live requests. Who asks for one that is
 * under way gets that one, and the last one is kept until the ledger has another record.
 */
export class EvidenceExports {
  readonly #options: EvidenceExportsOptions;
  readonly #slicer: TimeSlicer;
  readonly #queue = new SerialQueue();
  readonly #pending = new Map<string, Promise<CheckedExport | undefined>>();
  #last: { readonly id: string; readonly found: CheckedExport } | undefined;

  constructor(options: EvidenceExportsOptions) {
    this.#options = options;
    this.#slicer = options.slicer ?? createTimeSlicer();
  }

  /**
   * Undefined: the ledger has no rollout of this id. Rejects with LedgerBrokenError, with the disk's own error, and with ServeError
   * `overloaded` or `deadline_exceeded`.
   */
  async of(id: string): Promise<CheckedExport | undefined> {
    const { ledger, msMax = MS_MAX } = this.#options;
    if (this.#last?.id === id && this.#last.found.chain.head === ledger.head())
      return this.#last.found;
    const pending = this.#pending.get(id) ?? this.#begin(id);
    if (await within(pending, msMax)) return await pending;
    const message = `the evidence of ${id} could not be exported within ${msMax / 1000} s: try again, or use understudy evidence export with the ledger's folder`;
    throw new ServeError('deadline_exceeded', message);
  }

  #begin(id: string): Promise<CheckedExport | undefined> {
    if (this.#pending.size >= PENDING_MAX) {
      const message = `${PENDING_MAX} exports of evidence run or wait already: try again later`;
      throw new ServeError('overloaded', message);
    }
    const { ledger, decide } = this.#options;
    const pending = this.#queue.run(async () => {
      const found = await exportEvidence(
        () => ledger.read(),
        { id },
        { decide, slicer: this.#slicer },
      );
      this.#last = found && { id, found };
      return found;
    });
    this.#pending.set(id, pending);
    const forget = (): void => void this.#pending.delete(id);
    pending.then(forget, forget);
    return pending;
  }
}
