import { chooseComparator } from '../compare/choose-comparator.ts';
import { chooseLoss, whyNoLoss } from '../compare/choose-loss.ts';
import {
  type ComparatorChoice,
  type ComparedClaim,
  settingOf,
} from '../compare/compared-outputs.ts';
import type { LossRule } from '../compare/losses/loss-rule.ts';
import { messageOf } from '../core/errors.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import { formatShape, type TensorSpec } from '../core/tensor.ts';
import type { Losses } from './labels.ts';

/** What a trial asks of a version's package. */
export type Contestant = ComparatorChoice & {
  readonly version: string;
  /** The names of the classes, in the order of the scores. */
  readonly labels: readonly string[] | undefined;
};

/** What of a rollout says what must be comparable. */
type ComparedSpec = ComparedClaim & Pick<RolloutSpec, 'steps'>;

/** The versions of a trial. */
export type Contestants = {
  readonly stable: Contestant;
  readonly candidate: Contestant;
  /** What answers beside them; absent where nothing does, or the repository lacks it. */
  readonly anchor?: Contestant | undefined;
};

/**
 * Why a candidate cannot be tried against this stable version, in a sentence; undefined: it can. Clients of stable must be
 * able to call the candidate and to read its answers: anything else is another model, not another version, and would show as
 * a storm of refused requests.
 */
export function whyNotComparable(
  { stable, candidate, anchor }: Contestants,
  spec: ComparedSpec,
): string | undefined {
  const { signature } = candidate;
  return (
    mismatch('input', stable.signature.inputs, signature.inputs) ??
    mismatch('output', stable.signature.outputs, signature.outputs) ??
    unknownInput(stable, candidate) ??
    otherLabels(stable, candidate) ??
    noComparator(stable, spec) ??
    noLoss({ stable, candidate }, spec) ??
    otherAnchor(anchor, candidate, spec)
  );
}

/**
 * How the versions' answers are scored against labels: all as stable's package says, since a candidate brings no bar of its own.
 * Undefined where labels say nothing that is measured here.
 */
export function lossesOf(
  { stable, candidate, anchor }: Contestants,
  spec: Pick<RolloutSpec, 'compare'>,
): Losses | undefined {
  const { task, signature } = stable;
  const asStable = { task, signature, compare: settingOf(stable, spec) };
  const ruleOf = (each: Contestant | undefined): LossRule | undefined =>
    each && chooseLoss({ ...each, ...asStable });
  const [mine, theirs] = [ruleOf(stable), ruleOf(candidate)];
  return mine && theirs && { stable: mine, candidate: theirs, anchor: ruleOf(anchor) };
}

/** What stable takes the candidate must take, and what stable gives the candidate must give. */
function mismatch(
  what: 'input' | 'output',
  stable: readonly TensorSpec[],
  candidate: readonly TensorSpec[],
): string | undefined {
  for (const expected of stable) {
    const found = candidate.find(({ name }) => name === expected.name);
    if (found !== undefined && fits(what, expected, found)) continue;
    const others = candidate.map(specText).join(', ') || 'none';
    return `${what}s: expected ${specText(expected)} as stable has it, found ${found === undefined ? others : specText(found)}`;
  }
  return undefined;
}

/** The candidate may take more shapes than stable, never fewer. */
function fits(what: 'input' | 'output', expected: TensorSpec, found: TensorSpec): boolean {
  const isOpen = (size: number, at: number): boolean =>
    found.shape[at] === -1 || (what === 'output' && size === -1);
  return (
    expected.dtype === found.dtype &&
    !(expected.optional && !found.optional) &&
    expected.shape.length === found.shape.length &&
    expected.shape.every((size, at) => size === found.shape[at] || isOpen(size, at))
  );
}

function unknownInput(stable: Contestant, candidate: Contestant): string | undefined {
  const known = new Set(stable.signature.inputs.map(({ name }) => name));
  const extra = candidate.signature.inputs.find(
    ({ name, optional }) => !known.has(name) && !optional,
  );
  return extra && `inputs: expected those of stable, found ${specText(extra)} as well`;
}

/** A class keeps its number: callers and labels go by it. */
function otherLabels(stable: Contestant, candidate: Contestant): string | undefined {
  const expected = stable.labels;
  if (expected === undefined) return undefined;
  const found = candidate.labels;
  if (found === undefined) return `labels: expected stable's ${expected.length}, found none`;
  if (found.length !== expected.length) {
    return `labels: expected stable's ${expected.length}, found ${found.length}`;
  }
  const at = expected.findIndex((label, index) => label !== found[index]);
  if (at < 0) return undefined;
  return `labels: expected "${expected[at]}" for class ${at} as stable has it, found "${found[at]}"`;
}

function noComparator(stable: Contestant, claim: ComparedClaim): string | undefined {
  try {
    chooseComparator(stable, claim);
    return undefined;
  } catch (error) {
    return `version ${stable.version}: ${messageOf(error)}`;
  }
}

function judgesLoss({ steps }: Pick<RolloutSpec, 'steps'>): boolean {
  return steps.some(
    (step) =>
      step.kind === 'analysis' && [...step.require, ...step.reject].includes('labelledLoss'),
  );
}

/** Where loss adds up against an anchor, both must mean the same by a class. */
function otherAnchor(
  anchor: Contestant | undefined,
  candidate: Contestant,
  spec: Pick<RolloutSpec, 'steps' | 'compare'>,
): string | undefined {
  if (anchor === undefined || !judgesLoss(spec)) return undefined;
  const { version, signature } = anchor;
  const why =
    mismatch('input', signature.inputs, candidate.signature.inputs) ??
    mismatch('output', signature.outputs, candidate.signature.outputs) ??
    otherLabels(anchor, candidate) ??
    noLoss({ stable: anchor, candidate }, spec);
  return (
    why && `against the anchor, version ${version}, in the place of stable: ${why}. ${NAME_ANOTHER}`
  );
}

const NAME_ANOTHER = 'Name another anchor: understudy rollout anchor MODEL VERSION';

function noLoss(contestants: Contestants, spec: Pick<RolloutSpec, 'steps' | 'compare'>) {
  if (!judgesLoss(spec) || lossesOf(contestants, spec) !== undefined) return undefined;
  const { stable } = contestants;
  return `labelledLoss: ${whyNoLoss({ ...stable, compare: settingOf(stable, spec) })}`;
}

function specText({ name, dtype, shape }: TensorSpec): string {
  return `${name} ${dtype} ${formatShape(shape)}`;
}
