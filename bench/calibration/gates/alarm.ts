import type { Gate } from './gate.ts';
import { checks } from './thresholds.ts';

const BAKE_MINUTES = 15;
const SHARE = 0.1;
const BAD_IN_ROW = 3;

/**
 * A canary of a tenth under an alarm: three bad minutes in a row roll back, and after a quarter of an hour without an alarm all of
 * the traffic moves. Missing data is no bad minute.
 * Source: Amazon SageMaker's developer guide, "Deployment guardrails" (`CanarySize`, `WaitIntervalInSeconds`,
 * `AutoRollbackConfiguration`), and CloudWatch's "M out of N datapoints".
 */
export const alarm: Gate = {
  name: 'alarm',
  everyMs: 60_000,
  begin: () => {
    let [minutes, bad] = [0, 0];
    return {
      weights: () => ({ candidate: SHARE, baseline: 0 }),
      judge: ({ candidate }) => {
        minutes += 1;
        bad = checks(candidate).includes(false) ? bad + 1 : 0;
        if (bad >= BAD_IN_ROW) return 'rollBack';
        return minutes >= BAKE_MINUTES ? 'promote' : 'goOn';
      },
    };
  },
};
