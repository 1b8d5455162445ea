import type { Evidence } from '../core/evidence.ts';
import type { LiveObservation } from '../core/messages.ts';
import { LiveErrors, type LiveErrorsOptions } from './live-errors.ts';
import {
  type LiveWindowOptions as EventsOptions,
  LiveWindow as LiveWindow1,
} from './rules-1/live-window.ts';
import { SlowTally } from './slow-tally.ts';
import type { WindowOptions } from './window.ts';

export type LiveWindowOptions = EventsOptions &
  LiveErrorsOptions &
  Pick<WindowOptions, 'slowBlockMs' | 'clock'>;

export type LiveEvidence = Pick<
  Evidence,
  'live' | 'erredUnits' | 'slowUnits' | 'slowBlocks' | 'liveErrors' | 'liveFelt' | 'liveUnits'
>;

/**
 * Folds live requests into evidence, in the order of their assignment (see `trials/live-order.ts`): each metric's fold sees
 * every request and keeps fields of its own.
 */
export class LiveWindow {
  readonly #events: LiveWindow1;
  readonly #errors: LiveErrors;
  readonly #slow: SlowTally;
  #isLive: boolean;

  constructor(options: LiveWindowOptions, from: LiveEvidence & Pick<Evidence, 'bySlice'>) {
    this.#events = new LiveWindow1(options, from);
    this.#errors = new LiveErrors(options, from);
    this.#slow = new SlowTally({ ...options, blockMs: options.slowBlockMs }, from);
    this.#isLive = Object.keys(from.live).length > 0;
  }

  /**
   * How long stable took for a mirrored request. Counts until the first live one only: what slow is must not come from requests that are
   * held against it.
   */
  learn(stableMs: number): void {
    if (this.#isLive) return;
    this.#events.learn(stableMs);
    this.#slow.learn(stableMs);
  }

  /** `slices`: that the request is in, as `sliceKey` writes them. */
  add(live: LiveObservation, slices: readonly string[] = []): void {
    this.#isLive = true;
    const judged = asJudged(live);
    this.#events.add(judged);
    this.#errors.add(judged, slices);
    this.#slow.add(judged, slices);
  }

  /** By slice: failures, and slow requests. */
  slices(): { readonly errors: LiveErrors; readonly slow: SlowTally } {
    return { errors: this.#errors, slow: this.#slow };
  }

  snapshot(): LiveEvidence {
    return {
      ...this.#events.snapshot(),
      ...this.#slow.snapshot(),
      ...this.#errors.snapshot(),
    };
  }
}

/** A fault that no code of a failure tells: an answer of NaN, and a refusal of what the other arm takes. */
function asJudged(live: LiveObservation): LiveObservation {
  const isTold = live.failure !== undefined && live.fault !== 'refused';
  return live.fault === undefined || isTold ? live : { ...live, failure: 'runtime_failed' };
}
