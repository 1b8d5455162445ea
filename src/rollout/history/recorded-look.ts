/**
 * How a look at a rollout is kept. A day of even traffic makes evidence of several hundred kilobytes, most of it blocks of time that
 * no longer change, and hundreds of looks. So the first look has its evidence whole, and each later one what has changed since the
 * one before; rollouts stand in looks that move them. Reading the records one after the other gives each look whole, to the last bit.
 */
import type { Evidence } from '../../core/evidence.ts';
import type { HookAnswers } from '../../core/hook-answers.ts';
import type { DecisionBody } from '../../core/record.ts';
import { type Decision, type Rollout, rulesOf } from '../../core/rollout.ts';
import { canonicalJson } from '../../ledger/canonical-json.ts';
import { changeBetween, changedBy } from './json-change.ts';
import { newUnitsOf, wholeEvidence, withNewUnits, withoutUnits } from './new-units.ts';

/** A look with all that it saw: the rollout before it, what was decided, and the rollout after it. */
export type Look = {
  readonly evidence: Evidence;
  readonly decision: Decision;
  /** What webhooks had said; absent: none was asked. */
  readonly hooks?: HookAnswers | undefined;
  readonly before: Rollout;
  readonly after: Rollout;
};

/** Where a rollout stood when a look was recorded: its last look, and itself. */
export type Stood = {
  readonly rollout: Rollout;
  readonly evidence: Evidence;
  /** Undefined before the first look. */
  readonly decision: Decision | undefined;
};

/** The record of a look. Under the first rules all of it stays whole. */
export function recordOfLook(look: Look, stood: Stood): DecisionBody {
  const { evidence, decision, hooks, before, after } = look;
  const said = hooks === undefined ? {} : { hooks };
  const body = { kind: 'decision', rolloutId: before.id, ...said } as const;
  if (rulesOf(before.spec) === 1) return { ...body, evidence, decision, before, after };
  const newUnits = newUnitsOf(evidence, stood.evidence);
  const counts = withoutUnits(evidence);
  if (stood.decision === undefined)
    return { ...body, evidence: counts, newUnits, decision, before, after };
  const changed = changeBetween(withoutUnits(stood.evidence), counts);
  const isMoved = canonicalJson(before) !== canonicalJson(after);
  return { ...body, changed, newUnits, decision, ...(isMoved && { before, after }) };
}

/**
 * The look that a record has, whole. Throws where it continues from a look that is not there; then records before it are missing.
 */
export function lookOfRecord(body: DecisionBody, stood: Stood | undefined): Look {
  const { decision, hooks } = body;
  const said = hooks === undefined ? {} : { hooks };
  if (body.changed === undefined) {
    const { before, after } = body;
    return { evidence: wholeEvidence(body, stood?.evidence), decision, ...said, before, after };
  }
  if (stood?.decision === undefined)
    throw new RangeError(
      `${body.rolloutId}: expected the look that a record continues from, found none before it`,
    );
  const { before = stood.rollout, after = before } = body;
  const counts = changedBy(withoutUnits(stood.evidence), body.changed) as Evidence;
  const evidence = withNewUnits(counts, body.newUnits, stood.evidence);
  return { evidence, decision, ...said, before, after };
}
