import { seededRandom } from '../../src/core/random.ts';
import type { Contender } from './contender.ts';
import type { Outcome } from './outcome.ts';
import { VirtualTime } from './virtual-time.ts';
import type { World } from './world.ts';

const LOOK_EVERY_MS = 1_000;

/** One run: the world's requests, one after another, until the contender decides or the world ends. Equal seeds, equal runs. */
export function simulate(world: World, contender: Contender, seed: number): Outcome {
  const time = new VirtualTime();
  // Two streams, so that the world is the same for every contender.
  const nature = world.nature(seededRandom(2 * seed));
  const trial = contender.begin({ world, time, random: seededRandom(2 * seed + 1), seed });
  const { requestsMax, restartEvery, lookEveryMs = LOOK_EVERY_MS } = world;
  let lookMs = lookEveryMs;
  const outcome = (end: Pick<Outcome, 'ending' | 'why'>, requests: number): Outcome => ({
    ...end,
    requests,
    candidateRequests: trial.candidateRequests(),
    harmed: trial.harmed(),
  });
  for (let sent = 0; sent < requestsMax; sent += 1) {
    const request = nature.next(time.monotonicMs());
    const dueMs = time.monotonicMs() + request.gapMs;
    while (lookMs <= dueMs) {
      time.advanceTo(lookMs);
      const end = trial.look();
      if (end !== undefined) return outcome(end, sent);
      lookMs += lookEveryMs;
    }
    time.advanceTo(dueMs);
    if (restartEvery !== undefined && sent > 0 && sent % restartEvery === 0) trial.restart?.();
    trial.send(request, `${sent}`);
  }
  return outcome({ ending: 'undecided', why: 'the world ended' }, requestsMax);
}
