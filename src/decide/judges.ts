import type { Evidence, Slice } from '../core/evidence.ts';
import { type RolloutSpec, type RulesVersion, rulesOf } from '../core/rollout.ts';
import type { MetricName } from '../core/verdict.ts';
import { judgeAnchorLoss } from './anchor-loss.ts';
import { judgeDisagreement } from './disagreement.ts';
import { judgeErrors } from './errors.ts';
import type { Judgement } from './judgement.ts';
import { judgeLabelledLoss } from './labelled-loss.ts';
import { judgeLiveLoss, notJudged } from './live-loss.ts';
import { judgePairedErrors } from './paired-errors.ts';
import { judgePairedLatency } from './paired-latency.ts';
import { judgeErrors as judgeErrors1 } from './rules-1/errors.ts';
import { judgeLabelledLoss as judgeLabelledLoss1 } from './rules-1/labelled-loss.ts';
import { judgePairedErrors as judgePairedErrors1 } from './rules-1/paired-errors.ts';
import { judgePairedLatency as judgePairedLatency1 } from './rules-1/paired-latency.ts';
import { judgeSlowRequests as judgeSlowRequests1 } from './rules-1/slow-requests.ts';
import { inSlices } from './slice-judgement.ts';
import { judgeSlowRequests } from './slow-requests.ts';

/** What one metric's evidence shows, over all requests or over one slice. */
export type Judge = (evidence: Evidence, spec: RolloutSpec, slice: Slice | undefined) => Judgement;

export type Judges = Readonly<Record<MetricName, Judge>>;

/**
 * The rule of each metric, by version of the rules. A verdict on record must come out to the last digit for as long as its
 * ledger is kept, so a rule that has decided is never edited: one that changes moves to the folder of the last version that
 * has it, and the new one takes its place from the next version on.
 */
const JUDGES: Readonly<Record<RulesVersion, Judges>> = {
  1: {
    disagreement: judgeDisagreement,
    liveLoss: notJudged,
    anchorLoss: notJudged,
    labelledLoss: judgeLabelledLoss1,
    pairedErrors: judgePairedErrors1,
    pairedLatency: judgePairedLatency1,
    errors: judgeErrors1,
    slowRequests: judgeSlowRequests1,
  },
  2: {
    disagreement: inSlices(judgeDisagreement),
    liveLoss: judgeLiveLoss,
    anchorLoss: judgeAnchorLoss,
    labelledLoss: judgeLabelledLoss,
    pairedErrors: inSlices(judgePairedErrors),
    pairedLatency: judgePairedLatency,
    errors: inSlices(judgeErrors),
    slowRequests: judgeSlowRequests,
  },
};

/** The rules that a rollout began with. Throws a RangeError for those of a later version of the program. */
export function judgesOf(spec: RolloutSpec): Judges {
  const judges: Judges | undefined = JUDGES[rulesOf(spec)];
  if (judges !== undefined) return judges;
  const known = Object.keys(JUDGES).join(' or ');
  throw new RangeError(
    `rules: expected ${known}, found ${spec.rules}: run the version of the program that the rollout began with`,
  );
}
