import { type Refusal, refused } from '../../core/refusal.ts';
import type { Rollout } from '../../core/rollout.ts';
import { stepText } from '../action/describe.ts';
import { heldBackText } from '../action/holdback.ts';
import { aliveTrial, lastPromoted, type ModelHistory } from '../history/history.ts';
import type { RolloutDeployer } from '../reconcile/deployer.ts';
import type { Submission } from './command.ts';
import type { End } from './ending.ts';

/** The rollout that a command to move or end one is about, as things stand; undefined: none, or another command. */
export function meantBy(
  { kind }: Pick<Submission, 'kind'>,
  history: ModelHistory,
): Rollout | undefined {
  const alive = aliveTrial(history)?.rollout;
  if (['promote', 'pause', 'resume', 'abort'].includes(kind)) return alive;
  return kind === 'undo' ? (alive ?? lastPromoted(history)?.rollout) : undefined;
}

/**
 * What comes of an undo that names the promotion it means, where that is not the one that would be undone: one that has been undone
 * already is as it should be, so that a request may be repeated. Undefined: it is carried out.
 */
export function answerOfUndo(
  submission: Submission,
  history: ModelHistory,
): { readonly kind: 'undone'; readonly rolloutId: string } | Refusal | undefined {
  if (submission.kind !== 'undo' || submission.rolloutId === undefined) return undefined;
  const { model, rolloutId } = submission;
  const present = meantBy(submission, history);
  if (present?.id === rolloutId) return undefined;
  const named = history.trials.find(({ rollout }) => rollout.id === rolloutId)?.rollout;
  if (named !== undefined && isUndone(named)) return { kind: 'undone', rolloutId };
  const found = present === undefined ? 'none' : present.id;
  const why = `expected ${rolloutId} as the rollout of ${model} to undo, found ${found}: look at "understudy rollout history ${model}"`;
  return refused('other_rollout', why);
}

function isUndone({ phase }: Rollout): boolean {
  return phase.kind === 'rolledBack' && phase.decidedBy.join() === 'undo';
}

/** An abort of a rollout that was promoted while it waited for its turn takes the promotion back: traffic may have gone back by then. */
export function asMeant<Asked extends Submission>(
  submission: Asked,
  before: Rollout | undefined,
  history: ModelHistory,
): Asked | End {
  const { kind } = submission;
  if (kind !== 'abort' || before === undefined || aliveTrial(history) !== undefined)
    return submission;
  const { model, reason, by } = submission;
  const isPromoted = lastPromoted(history)?.rollout.id === before.id;
  return isPromoted ? { kind: 'undo', model, reason, ...(by && { by }) } : submission;
}

/**
 * Why a command is not carried out that waited for its turn: the one before it, or the controller by itself, has done what was asked,
 * and it would now do the same to what is next. Two undos at once would go back two versions, two promotions end the holdback that the
 * first of them began, and two resumptions leave two pauses. Undefined: it still means what it meant.
 */
export function whyOvertaken(
  submission: Submission,
  before: Rollout | undefined,
  history: ModelHistory,
): Refusal | undefined {
  const now = meantBy(submission, history);
  if (before === undefined || now === undefined) return undefined;
  if (submission.kind === 'promote') return whyPromoted(before, now);
  if (submission.kind === 'resume') return whyResumed(before, now);
  if (submission.kind !== 'undo' || now.id === before.id) return undefined;
  const why = `rollout ${before.id} has been undone meanwhile: ask again to undo ${now.id} as well`;
  return refused('no_rollout', why);
}

/** Why a promotion that took effect meanwhile cannot be undone in this turn; undefined: the version before it still answers. */
export function whyNotLoaded(
  { kind }: Submission,
  history: ModelHistory,
  { canAnswer }: Pick<RolloutDeployer, 'canAnswer'>,
): Refusal | undefined {
  const undone = kind === 'undo' ? meantBy({ kind }, history) : undefined;
  if (undone === undefined || aliveTrial(history) !== undefined) return undefined;
  const { model, stable } = undone.spec;
  if (canAnswer({ model, version: stable })) return undefined;
  const why = `version ${stable} of ${model} does not answer any more: ask again, and it is loaded first`;
  return refused('not_ready', why);
}

function whyPromoted(before: Rollout, now: Rollout): Refusal | undefined {
  if (now.phase.kind !== 'holdback' || before.phase.kind === 'holdback') return undefined;
  const why = `the candidate has been promoted meanwhile: ${heldBackText(now)}`;
  return refused('rollout_running', why);
}

function whyResumed(before: Rollout, { id, spec, phase }: Rollout): Refusal | undefined {
  if (before.phase.kind !== 'paused' || phase.kind !== 'paused') return undefined;
  if (before.phase.step === phase.step) return undefined;
  const at = stepText(spec, phase.step);
  const why = `rollout ${id} has been resumed meanwhile, and is paused in ${at}: resume it again to leave that`;
  return refused('not_paused', why);
}
