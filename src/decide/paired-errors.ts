import type { Evidence, PairedTimeouts } from '../core/evidence.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import { logEvidence, type Mixture, shares } from '../stats/mixture.ts';
import type { Judgement, Proof } from './judgement.ts';
import { brief, judgeMean, type MeanRule } from './mean-difference.ts';

/** Of the money on harm, what is on failed answers; the rest is on time-outs. */
const ON_ANSWERS = 0.75;
/** Of the money on few time-outs, what is on all runs, those without a twin taken for the candidate's; the rest is on twinned runs. */
const ON_ALL_RUNS = 0.9;

/**
 * Whether the candidate fails more often than stable on the same requests: failed answers per pair, and runs that time out,
 * per run of the shadow host. Each must be within the margin.
 *
 * Harm: an average of two e-processes, one for each. If both are within the margin it is an e-process.
 * Safe: both must be shown, so the chance of showing it wrongly is at most the chance of showing the one that is not so.
 * Whose a time-out was is known beside a twin alone. Where runs without one never time out they prove it as well; where they
 * do, the twinned runs must.
 */
export function judgePairedErrors(evidence: Evidence, spec: RolloutSpec): Judgement {
  const margin = spec.margins.pairedErrors;
  const rule = {
    ...{ lower: -1, upper: 1, limit: margin },
    margin: `failure rate minus stable's < ${brief(margin)}`,
    none: 'no compared pairs',
  };
  const answers = judgeMean({ ...rule, counts: evidence.pairedErrors });
  const { pairedTimeouts } = evidence;
  if (pairedTimeouts === undefined) return answers;
  const { candidate, reference } = timeoutsOf(pairedTimeouts, rule);
  return {
    ...answers,
    candidateEvents: answers.candidateEvents + candidate,
    referenceEvents: answers.referenceEvents + reference,
    proof: bothProofs(answers.proof, { rule, timeouts: pairedTimeouts }),
  };
}

type Timeouts = { readonly rule: Omit<MeanRule, 'counts'>; readonly timeouts: PairedTimeouts };

function timeoutsOf(
  { twinned }: PairedTimeouts,
  rule: Omit<MeanRule, 'counts'>,
): { readonly candidate: number; readonly reference: number } {
  const { candidateEvents, referenceEvents } = judgeMean({ ...rule, counts: twinned });
  return { candidate: candidateEvents, reference: referenceEvents };
}

function bothProofs(answers: Proof, { rule, timeouts }: Timeouts): Proof {
  if (answers.kind === 'missing') return answers;
  const all = judgeMean({ ...rule, counts: timeouts.all }).proof;
  if (all.kind === 'missing') return all.why === rule.none ? answers : all;
  const twinned = judgeMean({ ...rule, counts: timeouts.twinned, none: NO_TWINS }).proof;
  if (twinned.kind === 'missing' && twinned.why !== NO_TWINS) return twinned;
  const [harm, safe] =
    twinned.kind === 'missing' ? [0, NOTHING] : [twinned.logHarm, twinned.safe ?? NOTHING];
  return {
    kind: 'evidence',
    logHarm: logEvidence([
      { logWeight: Math.log(ON_ANSWERS), logWealth: answers.logHarm },
      { logWeight: Math.log(1 - ON_ANSWERS), logWealth: harm },
    ]),
    safe: lesser(answers.safe ?? NOTHING, shares(ON_ALL_RUNS, all.safe ?? NOTHING, safe)),
  };
}

const NO_TWINS = 'no twinned runs';

/** An e-process that never bets. */
const NOTHING: Mixture = [{ logWeight: 0, logWealth: 0 }];

/** The one that proves less. */
function lesser(first: Mixture, second: Mixture): Mixture {
  return logEvidence(first) <= logEvidence(second) ? first : second;
}
