import type { Order } from '../core/messages.ts';
import type { Tap } from '../core/outcome.ts';
import type { Tensor } from '../core/tensor.ts';
import { createIdTap } from './id-tap.ts';
import { createLiveTap } from './live-tap.ts';
import { createMirror, type Mirror, type MirrorOptions } from './mirror.ts';

export type LiveWatchOptions = Omit<MirrorOptions, 'openRollout'> & {
  /** Signs a token under which an answer can be labelled. */
  readonly issueToken: (claims: TokenClaims) => string;
  /** Inputs that the model's stable version takes; undefined while it is not known. */
  readonly knownInputs: (model: string) => readonly Tensor[] | undefined;
};

/** An answer that a caller got, and its wall-clock moment. */
type TokenClaims = {
  readonly model: string;
  readonly version: string;
  readonly requestId: string;
  readonly issuedMs: number;
};

/**
 * The serving side of rollouts: watches live requests through taps, reports what it sees, and knows of rollouts only which one
 * of the model is open, as the deciding side orders.
 */
export class LiveWatch {
  readonly taps: readonly Tap[];
  readonly #options: LiveWatchOptions;
  readonly #mirror: Mirror;
  /** By model: the id of the open rollout. */
  readonly #open = new Map<string, string>();

  constructor(options: LiveWatchOptions) {
    this.#options = options;
    this.#mirror = createMirror({ ...options, openRollout: (model) => this.#open.get(model) });
    const watched = {
      isWatched: (model: string) => this.#open.has(model),
      report: options.report,
    };
    // Of a request that is drawn its id is known by then.
    this.taps = [createIdTap(watched), this.#mirror.tap, createLiveTap(watched)];
  }

  /** Sends a request of known content through the mirror. The report on it comes in any case, or the mirror is broken. */
  checkMirror({ model, requestId: id }: Extract<Order, { kind: 'checkMirror' }>): void {
    const inputs = this.#options.knownInputs(model);
    if (inputs === undefined) return;
    this.#mirror.check({
      ...{ id, model, inputs },
      ...{ version: undefined, outputs: undefined, traceparent: undefined, caller: undefined },
      ...{ unit: id, attributes: {}, priority: 0 },
      deadlineMs: Number.POSITIVE_INFINITY,
    });
  }

  obey({ model, rolloutId, isOpen }: Extract<Order, { kind: 'rollout' }>): void {
    if (isOpen) this.#open.set(model, rolloutId);
    else this.#open.delete(model);
  }

  /** The token under which the answer can be labelled; undefined while no rollout of this model takes labels. */
  tokenFor({ model, version, id }: { model: string; version: string; id: string }) {
    if (!this.#open.has(model)) return undefined;
    const { issueToken, clock } = this.#options;
    return issueToken({ model, version, requestId: id, issuedMs: clock.wallMs() });
  }

  /** Drops what waits for the shadow and resolves once that runs nothing for this. */
  async drain(): Promise<void> {
    await this.#mirror.drain();
  }

  /** Bytes that copies of requests hold at present, and answers to them. */
  heldBytes(): number {
    return this.#mirror.heldBytes();
  }
}
