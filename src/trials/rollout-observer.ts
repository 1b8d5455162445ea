import {
  type Capture,
  type CapturedPair,
  createCapture,
  type LabelResult,
} from '../capture/capture.ts';
import { chooseComparator } from '../compare/choose-comparator.ts';
import type { Comparator } from '../compare/comparator.ts';
import { compare } from '../compare/compare.ts';
import { createWindow } from '../compare/create-window.ts';
import { type AllowedNonFinite, allowedNonFinite, faultOfLive } from '../compare/fault.ts';
import type { LossRule } from '../compare/loss.ts';
import type { Window, WindowOptions } from '../compare/window.ts';
import type { Clock } from '../core/clock.ts';
import type { Evidence } from '../core/evidence.ts';
import type { LiveObservation } from '../core/messages.ts';
import type { Pair } from '../core/outcome.ts';
import { type Rollout, rulesOf } from '../core/rollout.ts';
import { type Contestant, lossesOf } from './comparable.ts';
import { LiveOrder } from './live-order.ts';
import { MirrorCheck } from './mirror-check.ts';

export type RolloutObserverOptions = {
  readonly rollout: Rollout;
  /** Seen before this process began; NO_EVIDENCE for a new rollout. */
  readonly from: Evidence;
  readonly stable: Contestant;
  readonly candidate: Contestant;
  readonly feedback: { readonly ttlMs: number; readonly requestsMax: number };
  readonly clock: Clock;
  /** Sends a known request through the mirror, under this id. */
  readonly sendCheck: (requestId: string) => void;
  readonly onFailure?: WindowOptions['onFailure'];
};

/** One rollout as the judging column holds it in memory: what it has seen, and what still waits for a label. */
export class RolloutObserver {
  readonly rolloutId: string;
  readonly candidate: string;
  readonly window: Window;
  /** Live requests, on their way to the window. */
  readonly live: LiveOrder;
  readonly mirrorCheck: MirrorCheck;
  readonly #capture: Capture;
  readonly #comparator: Comparator;
  readonly #allowed: AllowedNonFinite;
  readonly #losses: { readonly stable: LossRule; readonly candidate: LossRule } | undefined;
  readonly #wallMs: () => number;
  readonly #keepsLatest: boolean;
  #latestMs: number | undefined;

  constructor(options: RolloutObserverOptions) {
    const { rollout, from, stable, candidate, feedback, clock, onFailure } = options;
    const { spec } = rollout;
    this.rolloutId = rollout.id;
    this.#wallMs = () => clock.wallMs();
    this.#keepsLatest = rulesOf(spec) > 1;
    this.#latestMs = from.latestMs;
    this.candidate = spec.candidate;
    this.#comparator = chooseComparator(stable, spec);
    this.#allowed = allowedNonFinite(stable.compare);
    this.#losses = lossesOf({ stable, candidate });
    this.window = createWindow({
      rules: rulesOf(spec),
      salt: spec.salt,
      slices: spec.slices,
      latencyMargin: spec.margins.pairedLatency,
      slowQuantile: spec.margins.slowRequests.quantile,
      from,
      ...(onFailure === undefined ? {} : { onFailure }),
    });
    this.live = new LiveOrder((live) => this.#addLive(live));
    this.mirrorCheck = new MirrorCheck({
      clock,
      name: rollout.id,
      send: (requestId) => options.sendCheck(requestId),
    });
    this.#capture = createCapture({
      ...feedback,
      clock,
      beganMs: rollout.startedMs,
      check: (label) => this.#losses?.stable.check(label),
      onLabelled: (pair) => this.window.addLabelled(pair),
      onUnmatched: () => this.window.addUnmatchedLabel(),
    });
  }

  /** A live request came that can count. */
  noteTraffic(): void {
    if (this.#keepsLatest) this.#latestMs = this.#wallMs();
  }

  /** All that it has seen so far. */
  evidence(): Evidence {
    const seen = this.window.snapshot();
    return this.#latestMs === undefined ? seen : { ...seen, latestMs: this.#latestMs };
  }

  /** A request was drawn for the mirror: its label may come before its pair. */
  expect(requestId: string): void {
    this.#capture.expect(requestId);
  }

  /** No pair will come of a request that was drawn. */
  abandon(requestId: string): void {
    this.#capture.abandon(requestId);
  }

  /** Compares a finished pair and keeps what its label will need. */
  offer(pair: Pair): void {
    const comparison = compare(pair, this.#comparator, this.#allowed);
    this.window.addComparison(comparison);
    const captured = this.#capturedOf(pair);
    if (captured === undefined) this.#capture.abandon(pair.requestId);
    else this.#capture.remember(pair.requestId, captured);
  }

  /** Joins a label to its pair. Throws ServeError invalid_input for a label that the model does not know. */
  label(answer: { requestId: string; issuedMs: number }, label: unknown): LabelResult {
    return this.#capture.label(answer, label);
  }

  #addLive(live: LiveObservation): void {
    this.window.addLive({ ...live, fault: faultOfLive(live, this.#allowed) });
  }

  #capturedOf(pair: Pair): CapturedPair | undefined {
    const stableLoss = this.#losses?.stable.keep(pair.stable);
    const candidateLoss = this.#losses?.candidate.keep(pair.candidate);
    if (stableLoss === undefined || candidateLoss === undefined) return undefined;
    return { attributes: pair.attributes, stableLoss, candidateLoss };
  }
}
