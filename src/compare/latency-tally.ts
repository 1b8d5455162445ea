import { type Clock, SteadyClock } from '../core/clock.ts';
import type { Comparison } from '../core/comparison.ts';
import type { Evidence, PairCounts } from '../core/evidence.ts';
import type { Margins } from '../core/rollout.ts';
import { BlockTally } from './block-tally.ts';
import { RecentRuns } from './recent-runs.ts';

type LatencyEvidence = Pick<Evidence, 'pairedLatency' | 'latencyBlocks'>;

export type LatencyTallyOptions = {
  readonly latencyMargin: Margins['pairedLatency'];
  readonly blockMs: number;
  readonly clock: Clock;
};

/** How often the candidate's run of a twinned pair took longer than the margin allows, by the block of time in which it came in. */
export class LatencyTally {
  readonly #margin: Margins['pairedLatency'];
  readonly #counts: { pairs: number; slower: number };
  readonly #blocks: BlockTally<PairCounts>;
  readonly #clock: SteadyClock;
  readonly #timedRuns = new RecentRuns();

  constructor({ latencyMargin, blockMs, clock }: LatencyTallyOptions, from: LatencyEvidence) {
    this.#margin = latencyMargin;
    this.#counts = { ...from.pairedLatency };
    this.#blocks = new BlockTally(blockMs, from.latencyBlocks ?? {});
    this.#clock = new SteadyClock(clock);
    this.#clock.notBefore(this.#blocks.resumesAt(this.#clock.wallMs()));
  }

  add({ candidateMs, twinMs, shadowRun }: NonNullable<Comparison['latency']>): void {
    if (this.#timedRuns.has(shadowRun)) return;
    this.#timedRuns.add(shadowRun);
    const { ratio, floorMs } = this.#margin;
    const slower = Number(candidateMs > Math.max(ratio * twinMs, twinMs + floorMs));
    this.#counts.pairs += 1;
    this.#counts.slower += slower;
    this.#blocks.add(this.#clock.wallMs(), [1, slower]);
  }

  snapshot(): LatencyEvidence {
    const { pairs, slower } = this.#counts;
    return { pairedLatency: { pairs, slower }, latencyBlocks: this.#blocks.snapshot() };
  }
}
