import type { LabelResult } from '../capture/capture.ts';
import { createFeedbackTokens, type FeedbackTokens } from '../capture/token.ts';
import type { MirrorEvent } from '../compare/mirror-tally.ts';
import type { Clock } from '../core/clock.ts';
import { type Evidence, NO_EVIDENCE } from '../core/evidence.ts';
import type { Tap } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import type { Rollout, RolloutSpec } from '../core/rollout.ts';
import type { MirrorSetting } from '../core/route.ts';
import type { ModelVersion } from '../core/version.ts';
import { createLiveTap } from '../mirror/live-tap.ts';
import { createMirror, type Mirror } from '../mirror/mirror.ts';
import type { MirrorLane } from '../mirror/mirrored.ts';
import { type Contestant, type Contestants, whyNotComparable } from './comparable.ts';
import { RolloutObserver, type RolloutObserverOptions } from './rollout-observer.ts';

export type RolloutObserversOptions = {
  /** Undefined while the repository lacks the version. */
  readonly contestant: (target: ModelVersion) => Contestant | undefined;
  /** How long labels are waited for, and for how many requests; read as a rollout begins. */
  readonly feedback: () => RolloutObserverOptions['feedback'];
  /** Bytes that copies of requests may hold at one time, and answers to them; of these, one model may have half. */
  readonly mirrorBytesMax: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Signs feedback tokens; 16 bytes or more. */
  readonly secret: Uint8Array;
  readonly readMirror: (model: string) => MirrorSetting | undefined;
  readonly lane: (model: string, version: string) => MirrorLane | undefined;
  readonly liveInFlight: () => number;
  readonly onMirror: (event: MirrorEvent, target: ModelVersion) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/**
 * What may wait for the shadow lanes, for all models alike; its bytes are `limits.mirrorMax`, of which one model may have half. Mirroring stops while more live requests are in flight than a
 * healthy gateway ever has, and what waits longer than its limit is dropped and counted. No client waits for a mirrored
 * answer, so a few milliseconds of gathering delay no request, and requests that run together cost the lane less.
 */
const MIRROR_LIMITS = {
  concurrency: 64,
  queueRequestsMax: 512,
  deadlineMs: 5_000,
  gatherMs: 5,
  liveInFlightMax: 256,
};

/** The judging column at work: watches live requests through taps, and holds what each rollout has seen. */
export class RolloutObservers {
  readonly taps: readonly Tap[];
  readonly #options: RolloutObserversOptions;
  readonly #tokens: FeedbackTokens;
  readonly #mirror: Mirror;
  /** By model: one trial at a time. */
  readonly #observers = new Map<string, RolloutObserver>();

  constructor(options: RolloutObserversOptions) {
    this.#options = options;
    this.#tokens = createFeedbackTokens(options.secret);
    this.#mirror = this.#createMirror();
    const { onInternalError } = options;
    const live = createLiveTap({
      window: (model) => this.#observers.get(model)?.window,
      onInternalError,
    });
    this.taps = [this.#mirror.tap, live];
  }

  /** A rollout begins, or goes on from evidence of an earlier life. */
  open(rollout: Rollout, from: Evidence): void {
    const { feedback, clock } = this.#options;
    const contestants = this.#contestants(rollout.spec);
    if (contestants === undefined) return;
    const observer = new RolloutObserver({
      rollout,
      from,
      ...contestants,
      feedback: feedback(),
      clock,
    });
    this.#observers.set(rollout.spec.model, observer);
  }

  /** Why a trial of these two could show nothing, in a sentence; undefined: it could. */
  whyNotComparable(spec: RolloutSpec): string | undefined {
    const contestants = this.#contestants(spec);
    return contestants && whyNotComparable(contestants, spec);
  }

  close(rollout: Rollout): void {
    const { model } = rollout.spec;
    if (this.#observers.get(model)?.rolloutId === rollout.id) this.#observers.delete(model);
  }

  evidence(rolloutId: string): Evidence {
    for (const observer of this.#observers.values())
      if (observer.rolloutId === rolloutId) return observer.window.snapshot();
    return NO_EVIDENCE;
  }

  /** The token under which an answer can be labelled; undefined while no trial of this model takes labels. */
  tokenFor(answer: { model: string; version: string; id: string }): string | undefined {
    if (!this.#observers.has(answer.model)) return undefined;
    const { model, version, id: requestId } = answer;
    return this.#tokens.issue({
      model,
      version,
      requestId,
      issuedMs: this.#options.clock.wallMs(),
    });
  }

  /** Takes a label. Throws ServeError invalid_input for a token that is not ours and for a label that cannot be one. */
  label(token: string, label: unknown): LabelResult {
    const claims = this.#tokens.read(token);
    return this.#observers.get(claims.model)?.label(claims, label) ?? 'notSampled';
  }

  /** Drops what waits for the lanes and resolves once they run nothing for us. */
  async drain(): Promise<void> {
    await this.#mirror.drain();
  }

  /** Bytes that copies of requests hold at present, and answers to them. */
  heldBytes(): number {
    return this.#mirror.heldBytes();
  }

  /** Undefined while the repository lacks one of them. */
  #contestants({ model, stable, candidate }: RolloutSpec): Contestants | undefined {
    const [mine, theirs] = [stable, candidate].map((version) =>
      this.#options.contestant({ model, version }),
    );
    return mine && theirs && { stable: mine, candidate: theirs };
  }

  #createMirror(): Mirror {
    const bytesMax = this.#options.mirrorBytesMax;
    const { readMirror, lane, clock, random, liveInFlight, onMirror, onInternalError } =
      this.#options;
    return createMirror({
      readMirror,
      lane,
      clock,
      random,
      limits: { ...MIRROR_LIMITS, bytesMax, queueBytesMax: Math.floor(bytesMax / 2) },
      liveInFlight,
      offer: (pair, target) => this.#observerOf(target)?.offer(pair),
      count: (event, target) => {
        onMirror(event, target);
        this.#observerOf(target)?.window.countMirror(event);
      },
      expect: (requestId, target) => this.#observerOf(target)?.expect(requestId),
      abandon: (requestId, target) => this.#observerOf(target)?.abandon(requestId),
      onInternalError,
    });
  }

  #observerOf({ model, version }: ModelVersion): RolloutObserver | undefined {
    const observer = this.#observers.get(model);
    return observer?.candidate === version ? observer : undefined;
  }
}
