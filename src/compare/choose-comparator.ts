import type { ComparatorSetting } from '../core/comparator-setting.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import type { Signature, TensorSpec } from '../core/tensor.ts';
import type { Comparator } from './comparator.ts';
import { anyTensor } from './comparators/any-tensor.ts';
import { rankedClasses } from './comparators/ranked-classes.ts';

/** What is known of a package when its comparator is chosen. */
export type ComparatorChoice = {
  readonly task: string | undefined;
  readonly compare: ComparatorSetting | undefined;
  readonly signature: Signature;
};

/** What a rollout claims of the answers, and the rules it began with: those of before versions did not look at distributions. */
export type ComparedClaim = Pick<RolloutSpec, 'intent' | 'rules'>;

/** How far class scores may move before an answer counts as another one, in total variation: 5 points of probability. */
const DISTRIBUTION = 0.05;

/**
 * The comparator that the package asks for, else the default of its task: ranked classes for classification, any tensor
 * for everything else. Under intent `equivalent` class scores must keep their distribution too: it is what "the same answers" says.
 * Throws an Error that names expected and found where the setting contradicts the signature.
 */
export function chooseComparator(
  { task, compare, signature }: ComparatorChoice,
  claim: ComparedClaim,
): Comparator {
  checkOutputNames(compare, signature);
  const wanted = compare?.comparator ?? (isClassification(task) ? 'rankedClasses' : undefined);
  if (wanted !== 'rankedClasses') return anyTensor(compare);
  const output = classScores(signature, compare?.output);
  if (output === undefined) {
    if (compare?.comparator === undefined && compare?.output === undefined)
      return anyTensor(compare);
    throw new Error(
      `compare: expected an output of class scores of rank 1 or 2${named(compare?.output)}, found ${outputsOf(signature)}`,
    );
  }
  const topK = checkedTopK(compare?.topK ?? 1, output.shape.at(-1) ?? -1);
  const distribution =
    claim.intent === 'equivalent' && claim.rules !== undefined
      ? (compare?.distribution ?? DISTRIBUTION)
      : undefined;
  return rankedClasses({ output: output.name, topK, distribution });
}

function checkedTopK(topK: number, classes: number): number {
  if (Number.isInteger(topK) && topK >= 1 && !(classes > 0 && topK >= classes)) return topK;
  throw new Error(
    `compare.topK: expected a whole number from 1 to ${classes > 0 ? `${classes - 1} (of ${classes} classes, the best ${classes} always agree)` : 'the number of classes less one'}, found ${topK}`,
  );
}

function checkOutputNames(compare: ComparatorSetting | undefined, signature: Signature): void {
  const unknown = Object.keys(compare?.outputs ?? {}).find(
    (name) => !signature.outputs.some((spec) => spec.name === name),
  );
  if (unknown === undefined) return;
  throw new Error(
    `compare.outputs: expected outputs of the model (${outputsOf(signature)}), found "${unknown}"`,
  );
}

/** `classification`, and any kind of it (`image-classification`). */
export function isClassification(task: string | undefined): boolean {
  return task !== undefined && /(^|[-_ ])classification$/.test(task);
}

/** The output that holds class scores: the named one, else the first floating-point one of rank 2, else of rank 1. */
export function classScores(
  signature: Signature,
  name: string | undefined,
): TensorSpec | undefined {
  const isRanked = (spec: TensorSpec): boolean =>
    spec.shape.length === 2 || spec.shape.length === 1;
  if (name !== undefined) {
    return signature.outputs.find((spec) => spec.name === name && isRanked(spec));
  }
  const floating = signature.outputs.filter((spec) => /^(FP|BF)/.test(spec.dtype));
  return (
    floating.find((spec) => spec.shape.length === 2) ??
    floating.find((spec) => spec.shape.length === 1)
  );
}

function named(output: string | undefined): string {
  return output === undefined ? '' : ` named "${output}"`;
}

function outputsOf(signature: Signature): string {
  return signature.outputs.map((spec) => `${spec.name}[${spec.shape.join(',')}]`).join(', ');
}
