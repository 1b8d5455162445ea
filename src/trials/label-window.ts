import type { LabelEvidence } from '../core/label-evidence.ts';
import type { RolloutSpec } from '../core/rollout.ts';

export type LabelWindowOptions = {
  readonly spec: RolloutSpec;
  /** In force before this process began. */
  readonly from: LabelEvidence | undefined;
  /** As configured at present; undefined: none is declared. */
  readonly configuredMs: () => number | undefined;
};

/** Where no window is declared labels are counted and prove nothing: pairs need not wait long. */
const UNDECLARED_MS = 15 * 60_000;

/**
 * A rollout's label window. It grows with the configuration and never shrinks: what has been counted under a longer one would not be
 * a sample of the same kind.
 */
export class LabelWindow {
  readonly #options: LabelWindowOptions;
  #ms: number;

  constructor(options: LabelWindowOptions) {
    this.#options = options;
    this.#ms = options.from?.windowMs ?? 0;
  }

  /** Milliseconds from a request to the last label that counts for it. */
  readonly ms = (): number => {
    const { spec, configuredMs } = this.#options;
    const declared = Math.max(spec.labels?.windowMs ?? 0, configuredMs() ?? 0);
    this.#ms = Math.max(this.#ms, declared || UNDECLARED_MS);
    return this.#ms;
  };
}

/** As long as a gateway takes to write evidence down, with room (see `rollout/worth-recording.ts`): a part of the rollout's age. */
export function recordedWithinMs(ageMs: number): number {
  return 10 * 60_000 + 0.02 * ageMs;
}
