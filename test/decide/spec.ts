import type { RolloutSpec } from '../../src/core/rollout.ts';

/** A rollout that requires every metric that can be required, with one declared slice. */
export function aSpec(changes: Partial<RolloutSpec> = {}): RolloutSpec {
  return {
    model: 'fashion',
    stable: '1',
    candidate: '2',
    intent: 'equivalent',
    slices: [{ garment: 'upper', tone: 'dark' }],
    margins: {
      disagreement: 0.02,
      pairedErrors: 0.01,
      labelledLoss: 0.02,
      pairedLatency: { ratio: 1.1, floorMs: 1 },
      errors: { ratio: 2, absolute: 0.005 },
      slowRequests: { ratio: 2, quantile: 0.95, absolute: 0.005 },
    },
    errorBudget: { falseRollback: 0.05, falsePromotion: 0.05 },
    minRequests: 100,
    expectedDisagreement: undefined,
    onInconclusive: 'pause',
    maxDurationMs: 3_600_000,
    steps: [
      { kind: 'setMirror', percentage: 100, twin: 20 },
      {
        kind: 'analysis',
        require: ['disagreement', 'pairedErrors', 'labelledLoss'],
        reject: ['pairedLatency'],
      },
      { kind: 'setWeight', percent: 25, control: true },
      { kind: 'analysis', require: ['errors', 'slowRequests'], reject: [] },
      { kind: 'promote' },
    ],
    salt: 'salt',
    ...changes,
  };
}
