import type { Comparison } from '../core/comparison.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Margins } from '../core/rollout.ts';

type LatencyEvidence = Pick<Evidence, 'pairedLatency'>;

/** How often the candidate's run of a twinned pair took longer than the margin allows. */
export class LatencyTally {
  readonly #margin: Margins['pairedLatency'];
  readonly #counts: { pairs: number; slower: number };
  /** The shadow host runs one batch at a time, so the pairs of one run come one after another. */
  #timedRun: number | undefined;

  constructor(margin: Margins['pairedLatency'], from: LatencyEvidence) {
    this.#margin = margin;
    this.#counts = { ...from.pairedLatency };
  }

  add({ candidateMs, twinMs, shadowRun }: NonNullable<Comparison['latency']>): void {
    if (shadowRun !== undefined && shadowRun === this.#timedRun) return;
    this.#timedRun = shadowRun;
    const { ratio, floorMs } = this.#margin;
    this.#counts.pairs += 1;
    if (candidateMs > Math.max(ratio * twinMs, twinMs + floorMs)) this.#counts.slower += 1;
  }

  snapshot(): LatencyEvidence {
    const { pairs, slower } = this.#counts;
    return { pairedLatency: { pairs, slower } };
  }
}
