import type { LabelStore } from '../capture/label-store.ts';
import { LabelWait, type Mature } from '../capture/label-wait.ts';
import type { KeptAnswer } from '../compare/losses/loss-rule.ts';
import { UnitFilter } from '../compare/unit-filter.ts';
import { type MaturePair, UnitLossTally } from '../compare/unit-loss-tally.ts';
import type { LabelledEvidence } from '../compare/window.ts';
import type { Clock } from '../core/clock.ts';
import { type Evidence, inSlice, NO_ANCHOR, sliceKey } from '../core/evidence.ts';
import { saltedHash } from '../core/hash.ts';
import { type LabelEvidence, NO_LABELS } from '../core/label-evidence.ts';
import type { LabelState } from '../core/label-state.ts';
import type { Pair } from '../core/outcome.ts';
import { DEFAULT_UNIT, type RolloutSpec, slicesOf } from '../core/rollout.ts';
import type { WantedLabel } from '../core/wanted-label.ts';
import { DrawnLosses, type DrawnUnitPair, isStoredDraw, type StoredDraw } from './drawn-losses.ts';
import { recordedWithinMs } from './label-window.ts';
import type { AnswerOfLabel, Labels, Losses } from './labels.ts';
import { RecentNames } from './recent-names.ts';

/** Labelled answers that are remembered, so that a label that is sent again counts once: some 10 MB. */
const LABELLED_MAX = 100_000;

/**
 * What is kept of a pair: the slices it belongs to (places in the spec's list), stable's answer, the candidate's, 1 for a control's,
 * the anchor's answer, and where labels are drawn its draw.
 */
type KeptPair = readonly [
  slices: readonly number[],
  stable: KeptAnswer,
  candidate: KeptAnswer,
  byControl: 0 | 1,
  anchor?: KeptAnswer | null,
  draw?: StoredDraw,
];

export type MatureLabelsOptions = {
  readonly spec: RolloutSpec;
  readonly from: Evidence;
  /** Undefined for a task whose answers have no loss: labels say nothing then. */
  readonly losses: Losses | undefined;
  /** From a request to the last label that counts for it, milliseconds. */
  readonly windowMs: () => number;
  readonly storeBytesMax: () => number;
  readonly startedMs: number;
  readonly store?: LabelStore | undefined;
  readonly clock: Pick<Clock, 'wallMs'>;
};

/** Labels of mirrored pairs, counted once the label window of their unit has ended. */
export class MatureLabels implements Labels {
  readonly #options: MatureLabelsOptions;
  readonly #wait: LabelWait<KeptPair>;
  readonly #tally: UnitLossTally;
  /** Against the anchor, of the pairs that it answered. */
  readonly #anchor: UnitLossTally;
  /** Undefined where labels are not drawn. */
  readonly #drawn: DrawnLosses | undefined;
  readonly #sliceKeys: readonly string[];
  readonly #counted: UnitFilter;
  readonly #labels: { joined: number; unmatched: number };
  readonly #counts: { late: number; inTime: number; labelled: number; neither: number };
  readonly #repeats = new RecentNames(LABELLED_MAX);
  readonly #droppedBefore: number;
  /** Wall clock: labels of answers from before are for none of its pairs. */
  #firstMs: number;

  constructor(options: MatureLabelsOptions) {
    this.#options = options;
    const { spec, from, losses, clock, store, storeBytesMax } = options;
    const labelling = from.labelling ?? NO_LABELS;
    const isGraded = losses?.stable.isGraded ?? false;
    this.#tally = new UnitLossTally({ ...from, coverage: labelling.coverage }, isGraded);
    const { loss, lossBySlice, coverage } = from.anchor ?? NO_ANCHOR;
    const ofAnchor = { labelledLoss: loss, labelledLossBySlice: lossBySlice, coverage };
    this.#anchor = new UnitLossTally(ofAnchor, isGraded);
    const queue = spec.labels?.queue;
    this.#drawn =
      queue && losses && new DrawnLosses({ queue, salt: spec.salt, from, rule: losses.candidate });
    this.#counted = new UnitFilter(labelling.units);
    this.#sliceKeys = slicesOf(spec).map(sliceKey);
    this.#labels = { ...from.labels };
    this.#counts = { ...labelling, inTime: labelling.inTime ?? labelling.labelled };
    this.#droppedBefore = labelling.dropped;
    this.#firstMs = from.labelling === undefined ? Number.POSITIVE_INFINITY : options.startedMs;
    this.#wait = new LabelWait<KeptPair>({
      windowMs: options.windowMs,
      unit: spec.unit ?? DEFAULT_UNIT,
      bytesMax: storeBytesMax,
      countedUntilMs: labelling.countedUntilMs,
      clock,
      check: (label) => losses?.stable.check(label),
      lossesOf: (kept, label) => (losses === undefined ? [] : lossesOfKept(losses, kept, label)),
      canonical: losses?.stable.canonical,
      payloadOf: (stored) => (isKeptPair(stored, losses) ? stored : undefined),
      recordedWithinMs: () => recordedWithinMs(clock.wallMs() - options.startedMs),
      isCounted: (unit) => this.#counted.has(unit),
      onMature: (unit, hash) => {
        if (hash === undefined || this.#counted.add(hash)) this.#count(unit);
      },
      store,
    });
    void this.#wait.restore();
  }

  expect(requestId: string): void {
    this.#firstMs = Math.min(this.#firstMs, this.#options.clock.wallMs());
    this.#wait.expect(requestId);
  }

  abandon(requestId: string): void {
    if (this.#wait.abandon(requestId)) this.#labels.unmatched += 1;
  }

  offer(pair: Pair): void {
    const { spec, losses } = this.#options;
    const stable = losses?.stable.keep(pair.stable);
    const candidate = losses?.candidate.keep(pair.candidate);
    if (stable === undefined || candidate === undefined) {
      this.abandon(pair.requestId);
      return;
    }
    const slices = slicesOf(spec).flatMap((slice, at) =>
      inSlice(pair.attributes, slice) ? at : [],
    );
    const isOwn = pair.unit === pair.requestId;
    const unit = isOwn ? undefined : saltedHash(`${spec.salt}:evidence`, pair.unit);
    const byControl = pair.byControl === true ? 1 : 0;
    // What the anchor did not answer says nothing of it.
    const anchor = pair.anchor?.kind === 'answer' ? losses?.anchor?.keep(pair.anchor) : undefined;
    const read = isRead(anchor) ? anchor : undefined;
    const draw = this.#drawn?.draw({ stable, candidate, anchor: read }, pair.requestId);
    const both = [slices, stable, candidate, byControl] as const;
    const payload: KeptPair = draw ? [...both, read ?? null, draw] : read ? [...both, read] : both;
    const kept = { unit, sameAs: pair.content, payload };
    const result = this.#wait.keep(pair.requestId, kept);
    if (result !== undefined) this.#labels[result] += 1;
  }

  label({ requestId, issuedMs }: AnswerOfLabel, label: unknown): LabelState {
    const { clock } = this.#options;
    const result = this.#wait.label(requestId, label);
    if (result === 'duplicate' || result === 'conflicting') return result;
    const isOurs = issuedMs >= this.#firstMs;
    const isLate = isOurs && issuedMs <= clock.wallMs() - this.#options.windowMs();
    if (isOurs && this.#repeats.add(requestId)) this.#counts[isLate ? 'late' : 'inTime'] += 1;
    if (isLate) return 'late';
    if (result === 'joined') this.#labels.joined += 1;
    if (result === 'notComparable') this.#labels.unmatched += 1;
    return result;
  }

  *wanted(): Generator<WantedLabel> {
    const { spec, windowMs } = this.#options;
    if (this.#drawn === undefined) return;
    for (const { id: requestId, atMs, payload } of this.#wait.unlabelled()) {
      const [places, , , , , draw] = payload;
      if (draw?.[1] !== 1) continue;
      const moments = { askedMs: atMs, untilMs: atMs + windowMs() };
      yield { requestId, version: spec.stable, ...moments, slices: this.#keysOf(places) };
    }
  }

  snapshot(): LabelledEvidence {
    this.#wait.settle();
    const { coverage, ...losses } = this.#tally.snapshot();
    const labels = { ...this.#labels };
    const { labelledLoss: loss, labelledLossBySlice: lossBySlice, ...of } = this.#anchor.snapshot();
    const drawn = this.#drawn?.snapshot();
    const ofAnchor = { loss, lossBySlice, ...of };
    const anchor = drawn ? { ...ofAnchor, drawnLoss: drawn.anchor } : ofAnchor;
    const seen = { ...losses, labels, labelling: this.#labelling(coverage), anchor };
    return drawn ? { ...seen, drawnLoss: drawn.drawnLoss } : seen;
  }

  async close(isOver: boolean): Promise<void> {
    const { store } = this.#options;
    await (isOver ? store?.remove() : store?.close());
  }

  #labelling(coverage: LabelEvidence['coverage']): LabelEvidence {
    const { waiting, newestMs, countedUntilMs, dropped } = this.#wait.counts();
    const { late, inTime, labelled, neither } = this.#counts;
    return {
      windowMs: this.#options.windowMs(),
      countedUntilMs,
      newestMs,
      waiting,
      late,
      inTime,
      dropped: this.#droppedBefore + dropped,
      labelled,
      neither,
      units: this.#counted.snapshot(),
      coverage,
      ...(this.#options.losses?.stable.isGraded === true && { isGraded: true as const }),
    };
  }

  #count(unit: readonly Mature<KeptPair>[]): void {
    const labelled = unit.flatMap(({ losses, isConflicting }) =>
      losses === undefined || isConflicting ? [] : [losses],
    );
    this.#counts.labelled += labelled.length;
    this.#counts.neither += labelled.filter(([a, b]) => a === 1 && b === 1).length;
    const pairs = unit.map(({ payload, losses = [], isConflicting = false }) => {
      const [ofStable, ofCandidate, ofAnchor] = losses;
      const [slices, stable, candidate, byControl, anchor] = payload;
      const of = { slices: this.#keysOf(slices), byControl: byControl === 1, isConflicting };
      return {
        toStable: this.#maturePair(of, [stable, candidate], [ofStable, ofCandidate]),
        toAnchor: anchor && this.#maturePair(of, [anchor, candidate], [ofAnchor, ofCandidate]),
      };
    });
    this.#drawn?.add(unit.map((mature) => this.#drawnPair(mature)));
    this.#tally.add(pairs.map(({ toStable }) => toStable));
    this.#anchor.add(pairs.flatMap(({ toAnchor }) => toAnchor ?? []));
  }

  #drawnPair({ payload, losses, isConflicting }: Mature<KeptPair>): DrawnUnitPair {
    const [places, stable, candidate, , anchor, draw] = payload;
    const answers = { stable, candidate, anchor: anchor ?? undefined };
    return {
      ...answers,
      slices: this.#keysOf(places),
      draw,
      losses,
      isConflicting: isConflicting === true,
    };
  }

  #keysOf(places: readonly number[]): readonly string[] {
    return places.flatMap((at) => this.#sliceKeys[at] ?? []);
  }

  /** The candidate against another version. */
  #maturePair(
    of: Pick<MaturePair, 'slices' | 'byControl' | 'isConflicting'>,
    [other, candidate]: readonly [KeptAnswer, KeptAnswer],
    [ofOther, ofCandidate]: readonly [number | undefined, number | undefined],
  ): MaturePair {
    const apart = this.#options.losses?.candidate.apart(other, candidate) ?? 0;
    const isLabelled = ofOther !== undefined && ofCandidate !== undefined;
    const losses = isLabelled ? { stable: ofOther, candidate: ofCandidate } : undefined;
    return { ...of, apart, losses };
  }
}

/** Of stable, of the candidate, and of the anchor where it answered. */
function lossesOfKept(
  losses: Losses,
  [, stable, candidate, , anchor]: KeptPair,
  label: unknown,
): readonly number[] {
  const both = [losses.stable.loss(stable, label), losses.candidate.loss(candidate, label)];
  if (!anchor || losses.anchor === undefined) return both;
  try {
    return [...both, losses.anchor.loss(anchor, label)];
  } catch {
    // A label that fits both versions on trial counts for them.
    return both;
  }
}

function isRead(answer: KeptAnswer | undefined): answer is readonly unknown[] {
  return typeof answer === 'object';
}

function isKeptPair(stored: unknown, losses: Losses | undefined): stored is KeptPair {
  if (!Array.isArray(stored) || stored.length < 4 || stored.length > 6) return false;
  const [slices, stable, candidate, byControl, anchor, draw] = stored as readonly unknown[];
  const isArm = byControl === 0 || byControl === 1;
  if (losses === undefined || !isArm || !isNumbers(slices)) return false;
  if (stored.length === 6 && !isStoredDraw(draw)) return false;
  const hasAnchor = stored.length === 5 || (stored.length === 6 && anchor !== null);
  const areKept = losses.stable.isKept(stable) && losses.candidate.isKept(candidate);
  return areKept && (!hasAnchor || (losses.anchor?.isKept(anchor) ?? false));
}

function isNumbers(stored: unknown): boolean {
  return Array.isArray(stored) && stored.every((each) => typeof each === 'number');
}
