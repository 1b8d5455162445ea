import type { Gate } from './gate.ts';
import { checks } from './thresholds.ts';

const STEP_WEIGHT = 0.1;
const MAX_WEIGHT = 0.5;
const THRESHOLD = 5;

/**
 * Flagger: `interval: 1m, threshold: 5, stepWeight: 10, maxWeight: 50`. A failed check keeps the weight where it is; so many of
 * them over the whole run roll back. No data is a failed check.
 * Source: docs.flagger.app, "How it works" and "Canary analysis".
 */
export const flagger: Gate = {
  name: 'Flagger style',
  everyMs: 60_000,
  begin: () => {
    let weight = STEP_WEIGHT;
    let failedChecks = 0;
    return {
      weights: () => ({ candidate: weight, baseline: 0 }),
      judge: ({ candidate }) => {
        if (checks(candidate).some((passed) => passed !== true)) {
          failedChecks += 1;
          return failedChecks >= THRESHOLD ? 'rollBack' : 'goOn';
        }
        if (weight >= MAX_WEIGHT - 1e-9) return 'promote';
        weight += STEP_WEIGHT;
        return 'goOn';
      },
    };
  },
};
