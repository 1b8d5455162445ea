import type { Comparison, Lateness } from '../core/comparison.ts';
import { type MirrorCounts, NO_DIFFERENCES } from '../core/evidence.ts';
import type { Lapse, LiveObservation, MirrorEvent } from '../core/messages.ts';
import { FailureTally } from './failure-tally.ts';
import { LateTally } from './late-tally.ts';
import { LatencyTally } from './latency-tally.ts';
import { LiveWindow } from './live-window.ts';
import { MirrorTally } from './mirror-tally.ts';
import { PairTally } from './pair-tally.ts';
import { sliceEvidence } from './slice-evidence.ts';
import { SliceMatch } from './slice-match.ts';
import type { Window, WindowEvidence, WindowOptions } from './window.ts';

/**
 * Evidence as the present rules judge it: each metric's fold in a file of its own. What is in evidence outlasts a
 * restart; what a fold holds in memory alone restarts, as its file says.
 */
export class EvidenceWindow implements Window {
  readonly #mirror: MirrorTally;
  readonly #pairs: PairTally;
  readonly #latency: LatencyTally;
  readonly #live: LiveWindow;
  readonly #failures: FailureTally;
  readonly #late: LateTally;
  readonly #match: SliceMatch;

  constructor({ from, onFailure, ...live }: WindowOptions) {
    const { latencyMargin, latencyBlockMs, clock } = live;
    this.#mirror = new MirrorTally(from.mirror);
    this.#pairs = new PairTally({ ...live, onLate: (values) => this.#late.add(values) }, from);
    this.#latency = new LatencyTally({ latencyMargin, blockMs: latencyBlockMs, clock }, from);
    this.#live = new LiveWindow(live, from);
    this.#failures = new FailureTally(from.failures, onFailure);
    this.#late = new LateTally(from.pairedTimeouts);
    this.#match = new SliceMatch(live.slices ?? []);
  }

  addComparison(comparison: Comparison, attributes?: Readonly<Record<string, string>>): void {
    const late = comparison.late && this.#late.valueOf(comparison.late);
    this.#pairs.add(comparison, { late, slices: this.#match.of(attributes) });
    this.#failures.add('candidate', comparison.candidateFault);
    this.#failures.add('reference', comparison.stableFault);
    if (late !== undefined) this.#failLate(comparison.late);
    if (comparison.latency !== undefined) this.#latency.add(comparison.latency);
    const { stableFailed, drawnMs, answeredMs } = comparison;
    if (!stableFailed && drawnMs !== undefined && answeredMs !== undefined)
      this.#live.learn(answeredMs - drawnMs);
  }

  mirror(): MirrorCounts {
    return this.#mirror.snapshot();
  }

  countMirror(event: MirrorEvent): void {
    this.#mirror.add(event);
  }

  addLapse(lapse: Lapse): void {
    this.#late.addLapse(lapse);
    if (lapse.by !== 'twin') this.#failures.add('candidate', lapse.kind);
    else this.#failures.add('reference', lapse.kind);
  }

  #failLate(late: Lateness | undefined): void {
    if (late?.candidate) this.#failures.add('candidate', 'timeout');
    if (late?.twin) this.#failures.add('reference', 'timeout');
  }

  addLive(live: LiveObservation): void {
    this.#live.add(live, this.#match.of(live.attributes));
    this.#failures.add(live.side, live.fault);
  }

  #bySlice(): Pick<WindowEvidence, 'bySlice'> {
    const { errors, slow } = this.#live.slices();
    return sliceEvidence({
      pairs: this.#pairs.slices(),
      errors: errors.slices(),
      slow: slow.slices(),
    });
  }

  snapshot(): WindowEvidence {
    const { pairUnits, ...pairs } = this.#pairs.snapshot();
    return {
      mirror: this.#mirror.snapshot(),
      ...pairs,
      pairedErrors: NO_DIFFERENCES,
      ...this.#latency.snapshot(),
      ...this.#live.snapshot(),
      pairUnits,
      failures: this.#failures.snapshot(),
      pairedTimeouts: this.#late.snapshot(),
      ...this.#bySlice(),
    };
  }
}
