import { ServeError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { type ComparatorChoice, comparedOutputs } from './compared-outputs.ts';
import { type ClassNames, FAMILY_RULES } from './families.ts';
import type { LossRule } from './losses/loss-rule.ts';

export type LossChoice = ComparatorChoice & {
  /** Class names in the order of the scores. */
  readonly labels: ClassNames;
};

/** The loss of the first compared output that has one, or undefined where labels say nothing that is measured here. */
export function chooseLoss(choice: LossChoice): LossRule | undefined {
  for (const { family, output, setting } of comparedOutputs(choice)) {
    const rule = FAMILY_RULES[family].loss?.(
      { output, setting, isEquivalent: false },
      choice.labels,
    );
    if (rule !== undefined) return rule;
  }
  return undefined;
}

/** Why there is none, and what to do, in a sentence for people. */
export function whyNoLoss(choice: LossChoice): string {
  const outputs = comparedOutputs(choice);
  for (const { family, output } of outputs) {
    const { lossNeeds } = FAMILY_RULES[family];
    if (lossNeeds !== undefined)
      return `${family} of ${output.name} needs ${lossNeeds}: declare it in compare.outputs.${output.name}`;
  }
  const families = Object.entries(FAMILY_RULES).filter(([, { loss }]) => loss !== undefined);
  const found = outputs.map(({ family }) => family).join(', ') || 'anyTensor';
  return `expected answers of ${families.map(([name]) => name).join(', ')}, by task in model.yaml or by compare, found ${found} (task ${choice.task ?? 'not given'})`;
}

/** The loss of outputs at hand; see `chooseLoss`. Throws ServeError: unsupported for a task without a loss, invalid_input. */
export function lossOf(choice: LossChoice, outputs: readonly Tensor[], label: unknown): number {
  const rule = chooseLoss(choice);
  const kept = rule?.keep({ kind: 'answer', outputs, computeMs: 0 });
  if (rule === undefined || kept === undefined)
    throw new ServeError('unsupported', `labels: ${whyNoLoss(choice)}`);
  return rule.loss(kept, label);
}
