import type { DrawnLossEvidence } from '../core/drawn-loss.ts';
import type {
  AnchorEvidence,
  ArmCounts,
  DifferenceCounts,
  Evidence,
  ExposedCounts,
  ExposureCounts,
  FeltByArm,
  FeltCounts,
  LiveLossEvidence,
  MirrorCounts,
  PairedFelt,
  SliceEvidence,
} from '../core/evidence.ts';
import {
  type LabelCoverage,
  type LabelEvidence,
  NO_COVERAGE,
  NO_LABELS,
} from '../core/label-evidence.ts';
import { addLabelCounts } from '../core/label-state.ts';
import { mergeBlocks } from './block-tally.ts';
import { addCounts, sortedRecord } from './difference-tally.ts';
import { addFailures } from './failure-tally.ts';
import { sumOfCoverage, sumOfUnits } from './label-coverage-tally.ts';
import { addSlow } from './slow-tally.ts';
import { joinUnitBits } from './unit-filter.ts';

/**
 * Evidence of two gateways, or of two lives of one, as if one had seen it all: counts add, sets unite. Commutative and
 * associative, with NO_EVIDENCE as its identity, and its JSON depends on the content alone.
 *
 * Two limits: a unit that both have seen is counted twice, and so is its first bad event where each has seen one.
 */
export function mergeEvidence(a: Evidence, b: Evidence): Evidence {
  return {
    mirror: mergeMirror(a.mirror, b.mirror),
    disagreement: mergeDifferences(a.disagreement, b.disagreement),
    excessDisagreement: mergeDifferences(a.excessDisagreement, b.excessDisagreement),
    pairedErrors: mergeDifferences(a.pairedErrors, b.pairedErrors),
    pairedFailures: addCounts(a.pairedFailures ?? {}, b.pairedFailures ?? {}),
    ...mergePairedFelt(a.pairedFelt, b.pairedFelt),
    pairedLatency: {
      pairs: a.pairedLatency.pairs + b.pairedLatency.pairs,
      slower: a.pairedLatency.slower + b.pairedLatency.slower,
    },
    latencyBlocks: mergeBlocks(a.latencyBlocks ?? {}, b.latencyBlocks ?? {}),
    labelledLoss: mergeDifferences(a.labelledLoss, b.labelledLoss),
    labelledLossBySlice: mergeRecords(
      a.labelledLossBySlice,
      b.labelledLossBySlice,
      mergeDifferences,
    ),
    labels: {
      joined: a.labels.joined + b.labels.joined,
      unmatched: a.labels.unmatched + b.labels.unmatched,
    },
    live: mergeRecords(a.live, b.live, mergeExposures),
    erredUnits: mergeSets(a.erredUnits, b.erredUnits),
    slowUnits: mergeSets(a.slowUnits, b.slowUnits),
    slowBlocks: mergeBlocks(a.slowBlocks ?? {}, b.slowBlocks ?? {}),
    liveErrors: mergeRecords(a.liveErrors ?? {}, b.liveErrors ?? {}, mergeExposed),
    liveFelt: mergeRecords(a.liveFelt ?? {}, b.liveFelt ?? {}, mergeFelt),
    liveUnits: joinUnitBits(a.liveUnits ?? {}, b.liveUnits ?? {}),
    pairUnits: joinUnitBits(a.pairUnits ?? {}, b.pairUnits ?? {}),
    ...mergeBySlice(a.bySlice, b.bySlice),
    ...latestOf(a, b),
    ...mergeFailures(a, b),
    ...mergeTimeouts(a, b),
    ...mergeLabelling(a.labelling, b.labelling),
    ...mergeDrawnLoss(a.drawnLoss, b.drawnLoss),
    ...mergeLiveLoss(a.liveLoss, b.liveLoss),
    ...mergeAnchor(a.anchor, b.anchor),
  };
}

function latestOf(a: Evidence, b: Evidence): Pick<Evidence, 'latestMs'> {
  if (a.latestMs === undefined && b.latestMs === undefined) return {};
  return { latestMs: Math.max(a.latestMs ?? 0, b.latestMs ?? 0) };
}

function mergeExposed(x: ExposedCounts, y: ExposedCounts): ExposedCounts {
  return {
    candidate: addCounts(x.candidate, y.candidate),
    reference: addCounts(x.reference, y.reference),
  };
}

function mergeFelt(x: FeltByArm, y: FeltByArm): FeltByArm {
  return {
    candidate: addFelt(x.candidate, y.candidate),
    reference: addFelt(x.reference, y.reference),
  };
}

/** Absent where neither has any. */
function mergeBySlice(a: Evidence['bySlice'], b: Evidence['bySlice']): Pick<Evidence, 'bySlice'> {
  if (a === undefined && b === undefined) return {};
  return { bySlice: mergeRecords(a ?? {}, b ?? {}, mergeSlices) };
}

function mergeSlices(a: SliceEvidence, b: SliceEvidence): SliceEvidence {
  const felt = mergePairedFelt(a.pairedFelt, b.pairedFelt).pairedFelt;
  return {
    disagreement: mergeDifferences(a.disagreement, b.disagreement),
    excessDisagreement: mergeDifferences(a.excessDisagreement, b.excessDisagreement),
    pairedFailures: addCounts(a.pairedFailures, b.pairedFailures),
    pairedFelt: felt ?? a.pairedFelt,
    liveErrors: mergeRecords(a.liveErrors, b.liveErrors, mergeExposed),
    liveFelt: mergeRecords(a.liveFelt, b.liveFelt, mergeFelt),
    slow: addSlow(a.slow, b.slow),
  };
}

function addFelt(a: FeltCounts, b: FeltCounts): FeltCounts {
  return { requests: a.requests + b.requests, failed: a.failed + b.failed };
}

/** Absent where neither has it. */
function mergeFailures(a: Evidence, b: Evidence): Pick<Evidence, 'failures'> {
  if (a.failures === undefined && b.failures === undefined) return {};
  const none = { candidate: {}, reference: {} };
  return { failures: addFailures(a.failures ?? none, b.failures ?? none) };
}

/** Absent where neither has it. */
function mergePairedFelt(
  a: PairedFelt | undefined,
  b: PairedFelt | undefined,
): Pick<Evidence, 'pairedFelt'> {
  if (a === undefined || b === undefined) {
    const pairedFelt = a ?? b;
    return pairedFelt === undefined ? {} : { pairedFelt };
  }
  const pairs = a.pairs + b.pairs;
  const candidate = a.candidate + b.candidate;
  return { pairedFelt: { pairs, candidate, reference: a.reference + b.reference } };
}

/** Absent where neither has any, as in evidence of before. */
function mergeLabelling(
  a: LabelEvidence | undefined,
  b: LabelEvidence | undefined,
): Pick<Evidence, 'labelling'> {
  if (a === undefined && b === undefined) return {};
  const [x, y] = [a ?? NO_LABELS, b ?? NO_LABELS];
  return {
    labelling: {
      windowMs: Math.max(x.windowMs, y.windowMs),
      countedUntilMs: Math.max(x.countedUntilMs, y.countedUntilMs),
      newestMs: Math.max(x.newestMs, y.newestMs),
      waiting: x.waiting + y.waiting,
      late: x.late + y.late,
      ...mergeInTime(x, y),
      dropped: x.dropped + y.dropped,
      labelled: x.labelled + y.labelled,
      neither: x.neither + y.neither,
      ...mergeStates(x, y),
      units: joinUnitBits(x.units, y.units),
      coverage: mergeRecords(x.coverage, y.coverage, mergeCoverage),
    },
  };
}

/** Absent in both: absent in the sum. */
function mergeStates(x: LabelEvidence, y: LabelEvidence): Pick<LabelEvidence, 'states'> {
  if (x.states === undefined && y.states === undefined) return {};
  return { states: addLabelCounts(x.states ?? {}, y.states ?? {}) };
}

/** Where only one counts them, the labels that the other has counted came in time. */
function mergeInTime(x: LabelEvidence, y: LabelEvidence): Pick<LabelEvidence, 'inTime'> {
  if (x.inTime === undefined && y.inTime === undefined) return {};
  return { inTime: (x.inTime ?? x.labelled) + (y.inTime ?? y.labelled) };
}

/** Absent in both: absent in the sum. */
function mergeDrawnLoss(
  a: DrawnLossEvidence | undefined,
  b: DrawnLossEvidence | undefined,
): { readonly drawnLoss?: DrawnLossEvidence } {
  if (a === undefined || b === undefined) {
    const one = a ?? b;
    return one === undefined ? {} : { drawnLoss: one };
  }
  const mergeLevels = (x: DrawnLossEvidence['all'], y: DrawnLossEvidence['all']) =>
    mergeRecords(x, y, mergeDifferences);
  return {
    drawnLoss: {
      all: mergeLevels(a.all, b.all),
      bySlice: mergeRecords(a.bySlice, b.bySlice, mergeLevels),
      differing: a.differing + b.differing,
      drawn: a.drawn + b.drawn,
      answered: a.answered + b.answered,
      conflicting: a.conflicting + b.conflicting,
      neither: a.neither + b.neither,
    },
  };
}

/** Absent in both: absent in the sum. */
function mergeLiveLoss(
  a: LiveLossEvidence | undefined,
  b: LiveLossEvidence | undefined,
): Pick<Evidence, 'liveLoss'> {
  if (a === undefined || b === undefined) {
    const one = a ?? b;
    return one === undefined ? {} : { liveLoss: one };
  }
  const places = mergeRecords(a.places, b.places, (x, y) => ({
    candidate: sumOfUnits(x.candidate, y.candidate),
    reference: sumOfUnits(x.reference, y.reference),
    blocks: addCounts(x.blocks ?? {}, y.blocks ?? {}),
  }));
  const differences = mergeDifferences(a.differences, b.differences);
  const countedUntilMs = Math.max(a.countedUntilMs, b.countedUntilMs);
  const units = joinUnitBits(a.units, b.units);
  return { liveLoss: { differences, places, countedUntilMs, units } };
}

/** Absent in both: absent in the sum. */
function mergeAnchor(
  a: AnchorEvidence | undefined,
  b: AnchorEvidence | undefined,
): Pick<Evidence, 'anchor'> {
  if (a === undefined || b === undefined) {
    const one = a ?? b;
    return one === undefined ? {} : { anchor: one };
  }
  return {
    anchor: {
      answered: a.answered + b.answered,
      failed: a.failed + b.failed,
      disagreement: mergeDifferences(a.disagreement, b.disagreement),
      loss: mergeDifferences(a.loss, b.loss),
      lossBySlice: mergeRecords(a.lossBySlice, b.lossBySlice, mergeDifferences),
      coverage: mergeRecords(a.coverage, b.coverage, mergeCoverage),
      ...mergeDrawnLoss(a.drawnLoss, b.drawnLoss),
    },
  };
}

function mergeCoverage(a: LabelCoverage, b: LabelCoverage): LabelCoverage {
  const all = sumOfCoverage(a, b);
  if (a.control === undefined && b.control === undefined) return all;
  return { ...all, control: sumOfCoverage(a.control ?? NO_COVERAGE, b.control ?? NO_COVERAGE) };
}

/** Absent where neither has it. */
function mergeTimeouts(a: Evidence, b: Evidence): Pick<Evidence, 'pairedTimeouts'> {
  const [ours, theirs] = [a.pairedTimeouts, b.pairedTimeouts];
  if (ours === undefined || theirs === undefined) {
    const pairedTimeouts = ours ?? theirs;
    return pairedTimeouts === undefined ? {} : { pairedTimeouts };
  }
  const all = addCounts(ours.all, theirs.all);
  return { pairedTimeouts: { all, twinned: addCounts(ours.twinned, theirs.twinned) } };
}

function mergeMirror(a: MirrorCounts, b: MirrorCounts): MirrorCounts {
  return {
    eligible: a.eligible + b.eligible,
    notSampled: a.notSampled + b.notSampled,
    compared: a.compared + b.compared,
    dropped: addCounts(a.dropped, b.dropped),
    timedOut: a.timedOut + b.timedOut,
    failed: a.failed + b.failed,
    byLoad: mergeRecords(a.byLoad, b.byLoad, (x, y) => ({
      sampled: x.sampled + y.sampled,
      compared: x.compared + y.compared,
    })),
  };
}

function mergeDifferences(a: DifferenceCounts, b: DifferenceCounts): DifferenceCounts {
  return { down: addCounts(a.down, b.down), up: addCounts(a.up, b.up) };
}

function mergeExposures(a: ExposureCounts, b: ExposureCounts): ExposureCounts {
  return {
    candidate: mergeArms(a.candidate, b.candidate),
    reference: mergeArms(a.reference, b.reference),
  };
}

function mergeArms(a: ArmCounts, b: ArmCounts): ArmCounts {
  return {
    requests: a.requests + b.requests,
    units: a.units + b.units,
    timedUnits: a.timedUnits + b.timedUnits,
    errors: a.errors + b.errors,
    slow: a.slow + b.slow,
    erredRequests: a.erredRequests + b.erredRequests,
    slowRequests: a.slowRequests + b.slowRequests,
  };
}

function mergeRecords<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  merge: (x: T, y: T) => T,
): Readonly<Record<string, T>> {
  const merged = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const present = merged.get(key);
    merged.set(key, present === undefined ? value : merge(present, value));
  }
  return sortedRecord(merged);
}

function mergeSets(a: readonly string[], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])].sort();
}
