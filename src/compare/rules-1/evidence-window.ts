import type { Comparison, LabelledPair } from '../../core/comparison.ts';
import {
  type Evidence,
  inSlice,
  NO_DIFFERENCES,
  type Slice,
  sliceKey,
} from '../../core/evidence.ts';
import type { LiveObservation, MirrorEvent } from '../../core/messages.ts';
import type { Margins } from '../../core/rollout.ts';
import { DifferenceTally, sortedRecord } from '../difference-tally.ts';
import { MirrorTally } from '../mirror-tally.ts';
import type { Window, WindowOptions } from '../window.ts';
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
  readonly #loss: DifferenceTally;
  readonly #lossBySlice = new Map<string, DifferenceTally>();
  readonly #slices: readonly Slice[];
  readonly #latency: { pairs: number; slower: number };
  /** The shadow host runs one batch at a time, so the pairs of one run come one after another. */
  #timedRun: number | undefined;
  readonly #labels: { joined: number; unmatched: number };

  constructor({ from, latencyMargin, slices, ...live }: WindowOptions) {
    this.#latencyMargin = latencyMargin;
    this.#slices = slices;
    this.#mirror = new MirrorTally(from.mirror);
    this.#live = new LiveWindow(live, from);
    this.#disagreement = new DifferenceTally(from.disagreement);
    this.#excess = new DifferenceTally(from.excessDisagreement);
    this.#errors = new DifferenceTally(from.pairedErrors);
    this.#loss = new DifferenceTally(from.labelledLoss);
    for (const [key, counts] of Object.entries(from.labelledLossBySlice)) {
      this.#lossBySlice.set(key, new DifferenceTally(counts));
    }
    this.#latency = { ...from.pairedLatency };
    this.#labels = { ...from.labels };
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

  addLabelled({ attributes, candidateLoss, stableLoss }: LabelledPair): void {
    const difference = candidateLoss - stableLoss;
    this.#loss.add(difference);
    this.#labels.joined += 1;
    for (const slice of this.#slices) {
      if (!inSlice(attributes, slice)) continue;
      const key = sliceKey(slice);
      const tally = this.#lossBySlice.get(key) ?? new DifferenceTally(NO_DIFFERENCES);
      tally.add(difference);
      this.#lossBySlice.set(key, tally);
    }
  }

  addUnmatchedLabel(): void {
    this.#labels.unmatched += 1;
  }

  countMirror(event: MirrorEvent): void {
    this.#mirror.add(event);
  }

  addLive(live: LiveObservation): void {
    this.#live.add(live);
  }

  snapshot(): Evidence {
    const bySlice = [...this.#lossBySlice].map(([key, tally]) => [key, tally.snapshot()] as const);
    const { pairs, slower } = this.#latency;
    const { joined, unmatched } = this.#labels;
    return {
      mirror: this.#mirror.snapshot(),
      disagreement: this.#disagreement.snapshot(),
      excessDisagreement: this.#excess.snapshot(),
      pairedErrors: this.#errors.snapshot(),
      pairedLatency: { pairs, slower },
      labelledLoss: this.#loss.snapshot(),
      labelledLossBySlice: sortedRecord(bySlice),
      labels: { joined, unmatched },
      ...this.#live.snapshot(),
    };
  }
}
