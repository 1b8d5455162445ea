import type { Comparison } from '../../core/comparison.ts';
import type { MirrorCounts } from '../../core/evidence.ts';
import type { Lapse, LiveObservation, MirrorEvent } from '../../core/messages.ts';
import type { Margins } from '../../core/rollout.ts';
import { DifferenceTally } from '../difference-tally.ts';
import { MirrorTally } from '../mirror-tally.ts';
import type { Window, WindowEvidence, WindowOptions } from '../window.ts';
import { LiveWindow } from './live-window.ts';

/**
 * Evidence as the rules of version 1 judge it. It resumes from `from`, with all counts and both sets of units. What is not
 * in evidence restarts: the past of the slow threshold (its burn-in is repeated), the running cluster of events, and which
 * units were seen: those that return are not counted again (see `live-window.ts`).
 */
export class EvidenceWindow implements Window {
  readonly #latencyMargin: Margins['pairedLatency'];
  readonly #mirror: MirrorTally;
  readonly #live: LiveWindow;
  readonly #disagreement: DifferenceTally;
  readonly #excess: DifferenceTally;
  readonly #errors: DifferenceTally;
  readonly #latency: { pairs: number; slower: number };
  /** The shadow host runs one batch at a time, so the pairs of one run come one after another. */
  #timedRun: number | undefined;

  constructor({ from, latencyMargin, ...live }: WindowOptions) {
    this.#latencyMargin = latencyMargin;
    this.#mirror = new MirrorTally(from.mirror);
    this.#live = new LiveWindow(live, from);
    this.#disagreement = new DifferenceTally(from.disagreement);
    this.#excess = new DifferenceTally(from.excessDisagreement);
    this.#errors = new DifferenceTally(from.pairedErrors);
    this.#latency = { ...from.pairedLatency };
  }

  addComparison({ score, noise, latency, stableFailed, candidateFailed }: Comparison): void {
    this.#errors.add(Number(candidateFailed) - Number(stableFailed));
    if (score !== undefined) {
      this.#disagreement.add(score);
      if (noise !== undefined) this.#excess.add(score - noise);
    }
    const isKnown = latency?.shadowRun !== undefined && latency.shadowRun === this.#timedRun;
    if (latency !== undefined && !isKnown) {
      this.#timedRun = latency.shadowRun;
      const { ratio, floorMs } = this.#latencyMargin;
      const { candidateMs, twinMs } = latency;
      this.#latency.pairs += 1;
      if (candidateMs > Math.max(ratio * twinMs, twinMs + floorMs)) this.#latency.slower += 1;
    }
  }

  mirror(): MirrorCounts {
    return this.#mirror.snapshot();
  }

  countMirror(event: MirrorEvent): void {
    this.#mirror.add(event);
  }

  /** A killed process was the candidate's failure, and a time-out lowered the coverage, of either version. */
  addLapse({ kind }: Lapse): void {
    if (kind === 'hang') this.#errors.add(1);
  }

  addLive(live: LiveObservation): void {
    this.#live.add(live);
  }

  snapshot(): WindowEvidence {
    const { pairs, slower } = this.#latency;
    return {
      mirror: this.#mirror.snapshot(),
      disagreement: this.#disagreement.snapshot(),
      excessDisagreement: this.#excess.snapshot(),
      pairedErrors: this.#errors.snapshot(),
      pairedLatency: { pairs, slower },
      ...this.#live.snapshot(),
    };
  }
}
