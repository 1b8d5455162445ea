import type { LabelQueuePlan } from './drawn-loss.ts';
import type { LabelCounts } from './label-state.ts';

/**
 * Which answers get a label, as the operator declares it. `arrival`: they come as they come; `random`: for a random sample of the
 * answers; `drawn`: for the pairs that the label queue draws.
 */
export type LabelSelection = 'arrival' | 'random' | 'drawn';

/** What a rollout takes of its model's `labels` section. */
export type LabelPlan = {
  /** Milliseconds from a request to the last label that counts for it: only pairs older than this are evidence. */
  readonly windowMs: number;
  readonly selection: LabelSelection;
  /** How the queue draws; absent but for `drawn`. */
  readonly queue?: LabelQueuePlan;
};

/** Units and those of them that have a label. */
export type LabelledUnits = { readonly units: number; readonly labelled: number };

/**
 * How often labels come on two sides, one value per unit. `blocks` match each unit of one side with those of the other just before
 * it, keyed `<labelled, 0 or 1>/<others that are labelled>/<others>`.
 */
export type CoverageBlocks = Readonly<Record<string, number>>;

/** How often labels come where the versions agree and where they differ. A differing unit is matched with agreeing ones of its arm. */
export type CoverageCounts = {
  readonly agreeing: LabelledUnits;
  readonly differing: LabelledUnits;
  readonly blocks: CoverageBlocks;
};

export type LabelCoverage = CoverageCounts & {
  /** Those of them whose live answer came from the control; absent where none did: all came from stable. */
  readonly control?: CoverageCounts;
};

/** The part whose live answers came from stable itself. */
export function stablePart({ control = NO_COVERAGE, ...all }: LabelCoverage): CoverageCounts {
  const rest = Object.entries(all.blocks).map(
    ([key, count]) => [key, count - (control.blocks[key] ?? 0)] as const,
  );
  return {
    agreeing: unitsWithout(all.agreeing, control.agreeing),
    differing: unitsWithout(all.differing, control.differing),
    blocks: Object.fromEntries(rest.filter(([, count]) => count !== 0)),
  };
}

function unitsWithout(all: LabelledUnits, part: LabelledUnits): LabelledUnits {
  return { units: all.units - part.units, labelled: all.labelled - part.labelled };
}

/** What became of labels and of the pairs that wait for them. Moments are wall-clock milliseconds. */
export type LabelEvidence = {
  /** The longest window in force so far. */
  readonly windowMs: number;
  /** Units that began until then are counted; later ones wait for the window to end. */
  readonly countedUntilMs: number;
  /** When the newest waiting pair was drawn; 0: none waits. */
  readonly newestMs: number;
  /** Pairs whose window has not ended. */
  readonly waiting: number;
  /** Answers whose first label came after the window, mirrored or not: which of them were is forgotten by then. */
  readonly late: number;
  /** Answers, mirrored or not, whose first label came in time. Absent in evidence of before it was counted. */
  readonly inTime?: number;
  /** Pairs dropped before their window ended, as the store was full. */
  readonly dropped: number;
  /** Counted pairs with a label. */
  readonly labelled: number;
  /** Those of them whose label equals neither version's answer. */
  readonly neither: number;
  /** Labels that came in. Absent where none did, and in evidence of before they were counted. */
  readonly states?: LabelCounts;
  /** Which units that may come again have been counted, as `UnitFilter` writes it. */
  readonly units: Readonly<Record<string, string>>;
  /** By slice, as `sliceKey` writes it; `""`: all requests. */
  readonly coverage: Readonly<Record<string, LabelCoverage>>;
  /**
   * The loss has values between 0 and 1, where hardly two answers are the same to every label: `differing` are then those units whose
   * answers are further apart than others lately, and `agreeing` the nearer ones too. Absent: the loss is 0 or 1.
   */
  readonly isGraded?: true;
};

/** Labels that equal neither answer: from this share on they look like labels of something else. A guess among ten gives 0.9. */
const NEITHER_MIN = 0.8;

/** Fewer labels than this say nothing about what they name. */
const NEITHER_LABELS_MIN = 50;

/** True where labels look like those of other classes, or of other requests. */
export function labelsMatchNeither({
  labelled,
  neither,
}: Pick<LabelEvidence, 'labelled' | 'neither'>): boolean {
  return labelled >= NEITHER_LABELS_MIN && neither >= NEITHER_MIN * labelled;
}

export const NO_COVERAGE: LabelCoverage = {
  agreeing: { units: 0, labelled: 0 },
  differing: { units: 0, labelled: 0 },
  blocks: {},
};

export const NO_LABELS: LabelEvidence = {
  windowMs: 0,
  countedUntilMs: 0,
  newestMs: 0,
  waiting: 0,
  late: 0,
  dropped: 0,
  labelled: 0,
  neither: 0,
  units: {},
  coverage: {},
};
