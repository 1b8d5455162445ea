import type { Order } from '../core/messages.ts';
import type { Tap } from '../core/outcome.ts';
import { createLiveTap } from './live-tap.ts';
import { createMirror, type Mirror, type MirrorOptions } from './mirror.ts';

export type LiveWatchOptions = Omit<MirrorOptions, 'openRollout'> & {
  /** Signs a token under which an answer can be labelled. */
  readonly issueToken: (claims: TokenClaims) => string;
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
    const live = createLiveTap({
      isWatched: (model) => this.#open.has(model),
      report: options.report,
    });
    this.taps = [this.#mirror.tap, live];
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
