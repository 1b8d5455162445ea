import type { Clock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { callerOf } from './caller-of.ts';

export type LabelCallerLimits = {
  /** Labels of one caller a second; as many at once. */
  readonly perSecondMax: number;
  /** Labels of one caller in one rollout. */
  readonly labelsMax: number;
};

type Caller = { labels: number; readonly bucket: TokenBucket };

/** Callers that are remembered; beyond, the one that has been silent longest is forgotten, its count with it. */
const CALLERS_MAX = 10_000;

/** Bounds what each caller may label in one rollout: one that is broken, or means harm, must not decide alone. */
export class LabelCallers {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** By network, the longest silent first. */
  readonly #callers = new Map<string, Caller>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Throws ServeError: forbidden beyond the labels of a rollout, overloaded beyond those of a second. */
  admit(address: string, { perSecondMax, labelsMax }: LabelCallerLimits): void {
    const nowMs = this.#clock.monotonicMs();
    const caller = callerOf(address);
    const known = this.#callers.get(caller) ?? { labels: 0, bucket: new TokenBucket(nowMs) };
    const isOver = known.labels >= labelsMax;
    const rate = { perSecond: perSecondMax, burst: perSecondMax };
    const retryAfterMs = isOver ? 0 : known.bucket.take(rate, nowMs);
    if (!isOver && retryAfterMs === 0) known.labels += 1;
    this.#callers.delete(caller);
    this.#callers.set(caller, known);
    this.#forget();
    if (isOver) {
      const what = `at most ${labelsMax} labels of one caller in a rollout (labels.callerMax)`;
      throw new ServeError('forbidden', refusalText(what));
    }
    if (retryAfterMs > 0) {
      const what = `at most ${perSecondMax} labels a second of one caller (labels.callerPerSecond)`;
      throw new ServeError('overloaded', refusalText(what), { retryAfterMs });
    }
  }

  /** A label that was admitted turned out to be for nothing that is compared: it is none of the rollout's. */
  giveBack(address: string): void {
    const known = this.#callers.get(callerOf(address));
    if (known !== undefined && known.labels > 0) known.labels -= 1;
  }

  /** Callers that are remembered. */
  get size(): number {
    return this.#callers.size;
  }

  #forget(): void {
    if (this.#callers.size <= CALLERS_MAX) return;
    for (const longestSilent of this.#callers.keys()) {
      this.#callers.delete(longestSilent);
      return;
    }
  }
}

function refusalText(expected: string): string {
  return `feedback: expected ${expected}, found more`;
}
