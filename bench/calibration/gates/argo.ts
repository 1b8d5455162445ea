import type { Gate } from './gate.ts';
import { checks } from './thresholds.ts';

const MINUTES_EACH = 5;
const WEIGHTS = [0.05, 0.25, 0.5];
const FAILURE_LIMIT = 3;

/**
 * Argo Rollouts: a background analysis of one measurement a minute while the weight grows, `failureLimit: 3`. A metric fails once it
 * has more failed measurements than that; a measurement without data is none.
 * Source: argo-rollouts.readthedocs.io, "Analysis & Progressive Delivery" and "Canary".
 */
export const argo: Gate = {
  name: 'Argo style',
  everyMs: 60_000,
  begin: () => {
    let minutes = 0;
    const failed = [0, 0];
    const all = MINUTES_EACH * WEIGHTS.length;
    return {
      weights: () => ({
        candidate: WEIGHTS[Math.floor(minutes / MINUTES_EACH)] ?? 0.5,
        baseline: 0,
      }),
      judge: ({ candidate }) => {
        minutes += 1;
        for (const [metric, passed] of checks(candidate).entries()) {
          if (passed === false) failed[metric] = (failed[metric] ?? 0) + 1;
        }
        if (failed.some((count) => count > FAILURE_LIMIT)) return 'rollBack';
        return minutes >= all ? 'promote' : 'goOn';
      },
    };
  },
};
