import type { DifferenceCounts } from '../core/evidence.ts';
import { type LabelCoverage, NO_COVERAGE } from '../core/label-evidence.ts';
import { DifferenceTally, sortedRecord } from './difference-tally.ts';
import { FarHalf } from './far-half.ts';
import { LabelCoverageTally } from './label-coverage-tally.ts';

/** A pair whose label window has ended. */
export type MaturePair = {
  /** The declared slices that it belongs to, as `sliceKey` writes them. */
  readonly slices: readonly string[];
  /** How far the losses of the two versions' answers can be apart, in [0, 1]; 0: they are the same to every label. */
  readonly apart: number;
  /** Whether the live answer came from the control. */
  readonly byControl: boolean;
  /** Each version's loss in [0, 1]; undefined: no label came. */
  readonly losses: { readonly stable: number; readonly candidate: number } | undefined;
  /** Its labels contradict each other; absent: they do not. */
  readonly isConflicting?: boolean;
};

type LabelCounts = {
  readonly labelledLoss: DifferenceCounts;
  readonly labelledLossBySlice: Readonly<Record<string, DifferenceCounts>>;
  readonly coverage: Readonly<Record<string, LabelCoverage>>;
};

/** All requests, among the keys of slices. */
const ALL = '';

const NONE: DifferenceCounts = { down: {}, up: {} };

/** Counts one value per unit: the mean difference of loss over its labelled pairs, of all requests and of each slice. */
export class UnitLossTally {
  readonly #losses = new Map<string, DifferenceTally>();
  readonly #coverage = new Map<string, LabelCoverageTally>();
  /** By slice; undefined for a loss of 0 or 1, of which most pairs have none to tell apart. */
  readonly #far: Map<string, FarHalf> | undefined;

  constructor({ labelledLoss, labelledLossBySlice, coverage }: LabelCounts, isGraded = false) {
    this.#far = isGraded ? new Map() : undefined;
    this.#losses.set(ALL, new DifferenceTally(labelledLoss));
    for (const [key, counts] of Object.entries(labelledLossBySlice))
      this.#losses.set(key, new DifferenceTally(counts));
    for (const [key, counts] of Object.entries(coverage))
      this.#coverage.set(key, new LabelCoverageTally(counts));
  }

  /** The pairs of one unit, in the order in which they were drawn; at least one. */
  add(unit: readonly MaturePair[]): void {
    this.#addTo(ALL, unit);
    for (const slice of new Set(unit.flatMap(({ slices }) => slices))) {
      this.#addTo(
        slice,
        unit.filter(({ slices }) => slices.includes(slice)),
      );
    }
  }

  snapshot(): LabelCounts {
    const slices = [...this.#losses].filter(([key]) => key !== ALL);
    return {
      labelledLoss: this.#losses.get(ALL)?.snapshot() ?? NONE,
      labelledLossBySlice: sortedRecord(slices.map(([key, tally]) => [key, tally.snapshot()])),
      coverage: sortedRecord([...this.#coverage].map(([key, tally]) => [key, tally.snapshot()])),
    };
  }

  /**
   * A unit speaks for what differs if any of its pairs does, and has a label there if the first such pair has. Of a graded loss nearly
   * all pairs differ: there the pair whose losses can be furthest apart speaks, for those that differ more than others lately.
   */
  #addTo(key: string, unit: readonly MaturePair[]): void {
    const speaker = this.#speakerOf(unit);
    if (speaker === undefined) return;
    const coverage = this.#coverage.get(key) ?? new LabelCoverageTally(NO_COVERAGE);
    this.#coverage.set(key, coverage);
    const differs = this.#differs(key, speaker.apart);
    const { byControl } = speaker;
    coverage.add({ differs, labelled: boundsOf(speaker) !== undefined, byControl });
    const bounds = unit.flatMap((pair) => boundsOf(pair) ?? []);
    if (bounds.length === 0) return;
    const losses = this.#losses.get(key) ?? new DifferenceTally(NONE);
    this.#losses.set(key, losses);
    losses.add(meanOf(bounds.map(({ down }) => down)), meanOf(bounds.map(({ up }) => up)));
  }

  #speakerOf(unit: readonly MaturePair[]): MaturePair | undefined {
    const [first] = unit;
    if (first === undefined || this.#far === undefined)
      return unit.find(({ apart }) => apart > 0) ?? first;
    return unit.reduce((furthest, pair) => (pair.apart > furthest.apart ? pair : furthest), first);
  }

  #differs(key: string, apart: number): boolean {
    if (this.#far === undefined) return apart > 0;
    const far = this.#far.get(key) ?? new FarHalf();
    this.#far.set(key, far);
    return far.has(apart);
  }
}

/**
 * The difference of loss, at least and at most; undefined: no label came. Labels that contradict each other count as the worst case
 * for either test: no harm for that of harm, and all of it for that of safety. Answers that are the same have the same loss under
 * any label.
 */
function boundsOf({ apart, losses, isConflicting }: MaturePair): Bounds | undefined {
  if (isConflicting) return { down: -apart, up: apart };
  if (losses === undefined) return undefined;
  const difference = losses.candidate - losses.stable;
  return { down: difference, up: difference };
}

type Bounds = { readonly down: number; readonly up: number };

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}
