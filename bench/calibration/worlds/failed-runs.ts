import type { Random } from '../../../src/core/random.ts';
import { happens } from '../chance.ts';
import { requests } from '../requests.ts';
import { inShadow } from '../steps.ts';
import type { World } from '../world.ts';

/** Requests that begin within so long share a run, of some eight: of stable live, and of candidate and twin in shadow. */
const RUN_MS = 40;

/** Each run fails as a whole or not at all. */
function failing(candidate: number, stable: number): World['nature'] {
  return (random: Random) => {
    let run = { number: 0, endsMs: 0, fails: false, candidateFails: false };
    return requests(random, 200, (nowMs) => {
      if (nowMs >= run.endsMs) {
        const fails = happens(random, stable);
        const candidateFails = happens(random, candidate);
        run = { number: run.number + 1, endsMs: nowMs + RUN_MS, fails, candidateFails };
      }
      const { number, endsMs, fails, candidateFails } = run;
      const one = (isFailed: boolean, tookMs: number) =>
        isFailed ? { tookMs, failure: 'runtime_failed' as const } : { tookMs };
      return {
        live: () => one(fails, endsMs - nowMs),
        shadow: () => ({ candidate: one(candidateFails, 4), twin: one(false, 4), run: number }),
      };
    });
  };
}

export const RUNS_FAIL: readonly World[] = [
  {
    name: 'shadow-runs-fail-at-margin',
    about:
      "Eight requests share a run in shadow, and 0.2 % of the candidate's fail as a whole; stable never fails.",
    claim: 'margin',
    rollout: { steps: inShadow('pairedErrors') },
    requestsMax: 12_000,
    nature: failing(0.002, 0),
  },
  {
    name: 'shadow-runs-fail-with-stable-at-margin',
    about: "The same, and 0.5 % of the runs of stable fail, 1.2 % of the candidate's.",
    claim: 'margin',
    rollout: { steps: inShadow('pairedErrors') },
    requestsMax: 12_000,
    nature: failing(0.012, 0.005),
  },
  {
    name: 'shadow-runs-fail-same',
    about: 'Eight requests share a run, and 0.5 % of the runs of either version fail as a whole.',
    claim: 'fair',
    rollout: { steps: inShadow('pairedErrors') },
    requestsMax: 12_000,
    nature: failing(0.005, 0.005),
  },
];
