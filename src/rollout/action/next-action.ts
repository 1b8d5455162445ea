import type { Evidence } from '../../core/evidence.ts';
import type { HookAnswers } from '../../core/hook-answers.ts';
import {
  type Action,
  isFinal,
  type Rollout,
  type RolloutSpec,
  rulesOf,
  type Step,
} from '../../core/rollout.ts';
import { ageText, countText, durationText } from '../../core/text.ts';
import type { MetricName, Verdict } from '../../core/verdict.ts';
import { metricLabel } from '../../decide/metric-plans.ts';
import { stepOf } from './advance.ts';
import { bindingText } from './binding-need.ts';
import { rollBackAsked, unconfirmedText } from './confirmation.ts';
import { harmText, needText, stepTask, stepText } from './describe.ts';
import { whyFutile } from './futility.ts';
import { nextOfHoldback } from './holdback.ts';
import { everRequired, requiredMetrics } from './required-metrics.ts';
import { weightState } from './weight-step.ts';

/** One look at a rollout: all that the next action depends on. `nowMs` is wall-clock milliseconds. */
export type Look = {
  readonly rollout: Rollout;
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  readonly nowMs: number;
  /** What webhooks have said; undefined: none is asked. */
  readonly hooks?: HookAnswers | undefined;
};

/**
 * What is to be done next. In this order: a candidate proven worse is rolled back in every state, paused included, and so is one that a
 * webhook wants rolled back; what
 * could not be measured pauses; a budget of time that is used up does what the rollout says; then the step decides. Only a
 * `pass` leaves an analysis or promotes; `inconclusive` never does. A holdback has no budget but its own time.
 */
export function nextAction(look: Look): Action {
  const { rollout, verdict, nowMs } = look;
  if (isFinal(rollout.phase)) return wait('the rollout has ended');
  if (rollout.phase.kind === 'loading') return wait(loadingText(rollout.spec));
  if (verdict.kind === 'fail') return rollBackProven(look);
  const asked = look.hooks && rollBackAsked(look.hooks);
  if (asked !== undefined) return asked;
  const { phase } = rollout;
  if (phase.kind === 'holdback')
    return nextOfHoldback({ rollout, phase, verdict, nowMs, idle: idleText(look) });
  const overdue = nowMs - rollout.startedMs >= rollout.spec.maxDurationMs;
  if (overdue && rollout.spec.onInconclusive === 'rollback') {
    return { kind: 'rollBack', why: inconclusiveText(look), decidedBy: ['maxDuration'] };
  }
  if (verdict.kind === 'error') return hold(look, `could not measure: ${reasonsText(verdict)}`);
  if (overdue) return hold(look, inconclusiveText(look));
  return nextOfStep(look);
}

/** What a trial waits for before it begins. */
export function loadingText({ candidate }: RolloutSpec): string {
  return `loading version ${candidate}: the trial begins once it is ready`;
}

function nextOfStep(look: Look): Action {
  const { phase, spec } = look.rollout;
  if (phase.kind !== 'progressing' && phase.kind !== 'paused') return wait('the rollout has ended');
  const step = spec.steps[phase.step];
  if (step === undefined) return hold(look, 'no step is left: promote or abort by hand');
  if (phase.kind === 'paused' && (step.kind !== 'pause' || phase.isByCommand === true))
    return wait(`paused: ${phase.why}`);
  return nextOfKind(look, step, { index: phase.step, sinceMs: phase.sinceMs });
}

type Place = { readonly index: number; readonly sinceMs: number };

function nextOfKind(look: Look, step: Step, place: Place): Action {
  switch (step.kind) {
    case 'setMirror':
      return leave(look, place, stepTask(step));
    case 'setWeight':
      return nextOfWeight(look, step, place);
    case 'analysis':
      if (step.require.length > 0 && look.verdict.kind === 'pass') {
        return leave(look, place, `proven: ${provenText(look.verdict)}`);
      }
      return waitForProof(look, place);
    case 'pause':
      return nextOfPause(look, step.durationMs, place);
    case 'promote':
      return nextOfPromotion(look, place);
  }
}

function nextOfWeight(
  look: Look,
  step: Extract<Step, { kind: 'setWeight' }>,
  place: Place,
): Action {
  // A share of nothing gets no requests to wait for.
  if (step.percent === 0) return leave(look, place, stepTask(step));
  const { isDone, text } = weightState(look, { step, sinceMs: place.sinceMs });
  if (isDone) return leave(look, place, text);
  return waitAt(look, place, text);
}

function nextOfPause(look: Look, durationMs: number | undefined, place: Place): Action {
  const at = stepText(look.rollout.spec, place.index);
  if (durationMs === undefined) return wait(`${at}, paused until resumed`);
  const leftMs = place.sinceMs + durationMs - look.nowMs;
  if (leftMs > 0) return wait(`${at}, paused for another ${ageText(leftMs)}`);
  return leave(look, place, `paused for ${durationText(durationMs)}`);
}

function nextOfPromotion(look: Look, place: Place): Action {
  const { spec } = look.rollout;
  if (everRequired(spec).length === 0) {
    return hold(look, 'no analysis requires a metric, so nothing can be proven: promote or abort');
  }
  if (look.verdict.kind !== 'pass') return waitForProof(look, place);
  if (isStale(look)) {
    return waitAt(
      look,
      place,
      'all is proven, on traffic of an hour ago: promotes on new traffic, or by hand',
    );
  }
  const proven = `proven: ${provenText(look.verdict)}`;
  const unconfirmed = unconfirmedText(look.hooks);
  if (unconfirmed === undefined) return { kind: 'promote', why: proven };
  return { ...waitAt(look, place, `${proven}; ${unconfirmed}`), asks: 'promotion' };
}

function waitForProof(look: Look, place: Place): Action {
  const { spec } = look.rollout;
  const futile = whyFutile(look, openMetrics(look.rollout, look.verdict));
  if (futile !== undefined) return endFutile(look, futile);
  const needs = needsText(look);
  const maturity = isOfLabels(needs) || rulesOf(spec) === 1 ? maturityText(look) : [];
  const text = [needs, ...maturity].join(' ');
  if (rulesOf(spec) > 1) return waitAt(look, place, text);
  return waitAt(look, place, `${spec.steps[place.index]?.kind} waits for ${text}`);
}

/** As at the end of `maxDuration`, only sooner. */
function endFutile(look: Look, why: string): Action {
  const text = `${why}: promote by hand, abort, or start again with a larger maximum or wider margins`;
  if (look.rollout.spec.onInconclusive === 'pause') return hold(look, text);
  return { kind: 'rollBack', why: text, decidedBy: ['maxSamples'] };
}

function waitAt(look: Look, place: Place, text: string): Wait {
  const idle = idleText(look);
  const at = stepText(look.rollout.spec, place.index);
  if (rulesOf(look.rollout.spec) === 1) return wait(`${at}, ${text}`);
  return wait(`${at}${idle === undefined ? '' : `, ${idle}`}: ${text}`);
}

/** Worth a word from here on, and from here on no ground to promote on: what was proven an hour ago may no longer be so. */
const IDLE_MS = 60_000;
const STALE_MS = 3_600_000;

/** `no traffic for 12 minutes`; undefined while requests come. */
function idleText({ rollout, evidence, nowMs }: Look): string | undefined {
  const { heldBackSinceMs, startedMs } = rollout;
  const idleMs = nowMs - (evidence.latestMs ?? heldBackSinceMs ?? startedMs);
  return idleMs < IDLE_MS ? undefined : `no traffic for ${ageText(idleMs)}`;
}

function isStale({ rollout, evidence, nowMs }: Look): boolean {
  const { latestMs } = evidence;
  return rulesOf(rollout.spec) > 1 && latestMs !== undefined && nowMs - latestMs >= STALE_MS;
}

/** Where something else takes longer, labels are not what it waits for. */
function isOfLabels(needs: string): boolean {
  return needs.startsWith('labelledLoss');
}

/** Where labels are all that is missing, nothing can change before the window of what waits has ended. */
function maturityText({ rollout, verdict, evidence }: Look): readonly string[] {
  const { newestMs = 0, windowMs = 0, waiting = 0 } = evidence.labelling ?? {};
  const open = openMetrics(rollout, verdict);
  const isLabels = open.length > 0 && open.every(({ metric }) => LABELLED.has(metric));
  if (!isLabels || waiting === 0) return [];
  const untilText = new Date(newestMs + windowMs).toISOString().slice(0, 19);
  return [`(${countText(waiting)} pairs wait for their labels until ${untilText}Z)`];
}

const LABELLED: ReadonlySet<MetricName> = new Set<MetricName>(['labelledLoss', 'anchorLoss']);

function leave(look: Look, place: Place, why: string): Action {
  const step = place.index + 1;
  if (step < look.rollout.spec.steps.length) return { kind: 'enterStep', step, why };
  return hold(look, `the last step is done (${why}) and none promotes: promote or abort by hand`);
}

/** Pauses a running rollout; a paused one stays paused. */
function hold(look: Look, why: string): Action {
  return look.rollout.phase.kind === 'paused' ? wait(`paused: ${why}`) : { kind: 'pause', why };
}

type Wait = Extract<Action, { kind: 'wait' }>;

function wait(why: string): Wait {
  return { kind: 'wait', why };
}

function rollBackProven({ rollout, verdict }: Look): Action {
  const worse = verdict.metrics.filter((status) => status.finding === 'worse').map(harmText);
  const detail = worse.length > 0 ? worse.join('; ') : verdict.decidedBy.join(', ');
  const when = rollout.phase.kind === 'holdback' ? ' after the promotion' : '';
  const why = `proven worse${when}: ${detail}`;
  return { kind: 'rollBack', why, decidedBy: verdict.decidedBy };
}

/** What is left to do where time is up. The first rules' records say it in the first rules' words. */
const LEFT = 'extend it, promote by hand, or abort';
const LEFT_OF_RULES_1 = 'promote by hand, abort, or start again with a longer maxDuration';

function inconclusiveText(look: Look): string {
  const { spec } = look.rollout;
  const left = rulesOf(spec) === 1 ? LEFT_OF_RULES_1 : LEFT;
  const open = unconfirmedAtEnd(look) ?? needsText(look);
  return `inconclusive after ${durationText(spec.maxDurationMs)} (maxDuration; ${left}): ${open}`;
}

/** Where all is proven, a confirmation is all that is missing. */
function unconfirmedAtEnd({ rollout: { spec, phase }, verdict, hooks }: Look): string | undefined {
  const isLast = spec.steps[stepOf(phase)]?.kind === 'promote' && verdict.kind === 'pass';
  return isLast ? unconfirmedText(hooks) : undefined;
}

/** What is required and not yet proven: what binds, and with the first rules all of it, with numbers. */
function needsText(look: Look): string {
  const { rollout, verdict } = look;
  const open = openMetrics(rollout, verdict);
  if (rulesOf(rollout.spec) > 1) return bindingText(look, open);
  const labels = open.map((status) => `${metricLabel(status)}:`);
  const others = verdict.reasons.filter((reason) => !labels.some((it) => reason.startsWith(it)));
  const needs = [...open.map(needText), ...others];
  return needs.length > 0 ? needs.join('; ') : 'nothing: all that was asked for is proven';
}

function openMetrics(rollout: Rollout, verdict: Verdict): Verdict['metrics'] {
  const required = requiredMetrics(rollout.spec, stepOf(rollout.phase));
  return verdict.metrics.filter(
    (status) => required.includes(status.metric) && status.finding !== 'nonInferior',
  );
}

function provenText(verdict: Verdict): string {
  return verdict.metrics
    .filter((status) => status.finding === 'nonInferior')
    .map((status) => `${metricLabel(status)} (${countText(status.samples)} samples)`)
    .join(', ');
}

function reasonsText(verdict: Verdict): string {
  return verdict.reasons.length > 0 ? verdict.reasons.join('; ') : 'no reason given';
}
