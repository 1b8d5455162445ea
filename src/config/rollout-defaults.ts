import type * as z from 'zod';
import { section } from './expected.ts';
import { whyNotOutlasted } from './labels-section.ts';
import { merge } from './merge.ts';
import type { ModelConfig } from './model-section.ts';
import { MAX_DURATION_MS, type RolloutSection, rolloutKeys } from './rollout-section.ts';

const { slices: _, expectedDisagreement: __, ...keys } = rolloutKeys;

/** Slices are of attributes that a model declares, and a measured disagreement is that of one package: neither is for all models. */
export type RolloutDefaults = Omit<RolloutSection, 'slices' | 'expectedDisagreement'>;

/** The section `rollout` at the top of `understudy.yaml`: what a model's own section leaves out. */
export const rolloutDefaultsSchema = section(keys);

/** A model's section over the defaults for all models: key by key, margins, budget and unit part by part; steps as a whole. */
export function withRolloutDefaults(
  defaults: RolloutDefaults,
  own: RolloutSection,
): RolloutSection {
  return merge(defaults, own) as RolloutSection;
}

type Checked = {
  readonly rollout: RolloutDefaults;
  readonly models: Readonly<Record<string, ModelConfig>>;
};

/** A rollout must outlast the label window of its model, at the default of `maxDuration` too. */
export function checkWindows(
  { rollout: defaults, models }: Checked,
  context: z.core.$RefinementCtx,
): void {
  for (const [model, { labels, rollout }] of Object.entries(models)) {
    const longest = withRolloutDefaults(defaults, rollout).maxDuration ?? MAX_DURATION_MS;
    const message = whyNotOutlasted(labels.windowMs, longest);
    if (message === undefined) continue;
    context.addIssue({
      code: 'custom',
      path: ['models', model, 'rollout', 'maxDuration'],
      message,
    });
  }
}
