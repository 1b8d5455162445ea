import { type Capture, type CapturedPair, createCapture } from '../capture/rules-1/capture.ts';
import type { KeptAnswer, LossRule } from '../compare/losses/loss-rule.ts';
import { LabelTally } from '../compare/rules-1/label-tally.ts';
import type { LabelledEvidence } from '../compare/window.ts';
import type { Clock } from '../core/clock.ts';
import type { Evidence, Slice } from '../core/evidence.ts';
import type { LabelState } from '../core/label-state.ts';
import type { Pair } from '../core/outcome.ts';
import type { AnswerOfLabel, Labels, Losses } from './labels.ts';

export type ArrivalLabelsOptions = {
  readonly slices: readonly Slice[];
  readonly from: Evidence;
  readonly losses: Losses | undefined;
  readonly startedMs: number;
  readonly clock: Clock;
};

/** What these rules were given by default. */
const TTL_MS = 15 * 60_000;
const REQUESTS_MAX = 20_000;

/** Labels under the rules of version 1: each counts as it comes. */
export class ArrivalLabels implements Labels {
  readonly #losses: Losses | undefined;
  readonly #tally: LabelTally;
  readonly #capture: Capture;

  constructor({ slices, from, losses, startedMs, clock }: ArrivalLabelsOptions) {
    this.#losses = losses;
    this.#tally = new LabelTally(slices, from);
    this.#capture = createCapture({
      requestsMax: REQUESTS_MAX,
      ttlMs: TTL_MS,
      clock,
      beganMs: startedMs,
      check: (label) => losses?.stable.check(label),
      onLabelled: (pair) => this.#tally.add(pair),
      onUnmatched: () => this.#tally.addUnmatched(),
    });
  }

  expect(requestId: string): void {
    this.#capture.expect(requestId);
  }

  abandon(requestId: string): void {
    this.#capture.abandon(requestId);
  }

  offer(pair: Pair): void {
    const captured = this.#capturedOf(pair);
    if (captured === undefined) this.#capture.abandon(pair.requestId);
    else this.#capture.remember(pair.requestId, captured);
  }

  label(answer: AnswerOfLabel, label: unknown): LabelState {
    return this.#capture.label(answer, label);
  }

  wanted(): readonly [] {
    return [];
  }

  snapshot(): LabelledEvidence {
    return this.#tally.snapshot();
  }

  async close(): Promise<void> {
    // Everything is in memory.
  }

  #capturedOf(pair: Pair): CapturedPair | undefined {
    const stableLoss = lossOfKept(this.#losses?.stable, pair.stable);
    const candidateLoss = lossOfKept(this.#losses?.candidate, pair.candidate);
    if (stableLoss === undefined || candidateLoss === undefined) return undefined;
    return { attributes: pair.attributes, stableLoss, candidateLoss };
  }
}

function lossOfKept(
  rule: LossRule | undefined,
  observation: Pair['stable'],
): ((label: unknown) => number) | undefined {
  const kept: KeptAnswer | undefined = rule?.keep(observation);
  return rule && kept && ((label) => rule.loss(kept, label));
}
