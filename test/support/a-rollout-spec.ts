import { type RolloutSpec, RULES_VERSION } from '../../src/core/rollout.ts';

/** A rollout from version 1 to 2; a test gives its steps and the fields that matter to it. */
export function aRolloutSpec(
  given: Partial<RolloutSpec> & Pick<RolloutSpec, 'steps'>,
): RolloutSpec {
  return {
    model: 'fashion',
    stable: '1',
    candidate: '2',
    intent: 'equivalent',
    slices: [],
    margins: {
      disagreement: 0.02,
      pairedErrors: 0.01,
      labelledLoss: 0.02,
      pairedLatency: { ratio: 1.5, floorMs: 1 },
      errors: { ratio: 2, absolute: 0.005 },
      slowRequests: { ratio: 2, quantile: 0.95, absolute: 0.005 },
    },
    errorBudget: { falseRollback: 0.05, falsePromotion: 0.05 },
    minRequests: 100,
    expectedDisagreement: undefined,
    onInconclusive: 'pause',
    maxDurationMs: 3_600_000,
    salt: 'salt',
    rules: RULES_VERSION,
    ...given,
  };
}
