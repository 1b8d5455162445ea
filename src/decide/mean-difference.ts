import type { DifferenceCounts } from '../core/evidence.ts';
import {
  type BetRules,
  harmOfMean,
  safeOfMean,
  superiorOfMean,
  type ValueCounts,
} from '../stats/bets.ts';
import { logEvidence, type Mixture } from '../stats/mixture.ts';
import { type Judgement, missing, type Proof } from './judgement.ts';
import { outlookOfMean } from './outlook.ts';
import { type Differences, readDifferences } from './value-counts.ts';

export type MeanRule = {
  readonly counts: DifferenceCounts;
  readonly lower: number;
  readonly upper: number;
  /** The mean must be shown to be below this, or is shown to be above it. */
  readonly limit: number;
  readonly margin: string;
  /** What to say when there is no value at all. */
  readonly none: string;
  /** Test whether the mean is below 0 as well; by default not. */
  readonly testsBetter?: boolean;
  /** By default the present ones. */
  readonly bets?: BetRules;
};

/** E1 on values counted on the grid: shared by every metric that is a mean over pairs. */
export function judgeMean(rule: MeanRule): Judgement {
  return judgeDifferences(readDifferences(rule.counts, rule), rule);
}

/** The same on what has been read; undefined: it cannot be read. */
export function judgeDifferences(
  read: Differences | undefined,
  rule: Omit<MeanRule, 'counts'>,
): Judgement {
  return {
    samples: read?.samples ?? 0,
    candidateEvents: read?.above ?? 0,
    referenceEvents: read?.below ?? 0,
    estimate: read?.mean,
    margin: rule.margin,
    proof: proofOf(read, rule),
  };
}

/** A number as text: at most four significant digits. */
export function brief(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function proofOf(read: Differences | undefined, rule: Omit<MeanRule, 'counts'>): Proof {
  const { lower, upper, limit, bets } = rule;
  if (read === undefined) {
    return missing(`the evidence is not whole counts of values in [${lower}, ${upper}]`);
  }
  if (!(limit > lower && limit < upper)) {
    return missing(
      `the margin leaves nothing to test: ${limit} is not inside (${lower}, ${upper})`,
    );
  }
  if (read.samples === 0) return missing(rule.none);
  const claim = { lower, upper, margin: limit };
  const safe = (up: ValueCounts): Mixture => safeOfMean(up, claim, bets);
  return {
    kind: 'evidence',
    logHarm: logEvidence(harmOfMean(read.down, claim, bets)),
    safe: safe(read.up),
    outlook: outlookOfMean(read.up, claim, (up) => logEvidence(safe(up))),
    ...(rule.testsBetter && { better: superiorOfMean(read.up, upper) }),
  };
}
