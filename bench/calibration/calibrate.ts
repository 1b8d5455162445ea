import type { Contender } from './contender.ts';
import { type KeptWorld, keepProgress, readProgress } from './kept-worlds.ts';
import { simulate } from './simulate.ts';
import { NO_RUNS, withOutcome } from './tally.ts';
import { specOf } from './understudy.ts';
import type { World } from './world.ts';

export type CalibrateOptions = {
  readonly contender: Contender;
  /** Runs of the world in all. Seeds are 1, 2, 3 and so on, so more runs begin with those of before. */
  readonly runs: number;
  /** Where runs are kept, and under which digest of the code; undefined: nowhere. */
  readonly progress: { readonly folder: string; readonly code: string } | undefined;
};

/** So many runs are lost at most where a calibration is stopped. */
const KEEP_EVERY = 20;

/** Runs a world until it has had its runs. */
export async function calibrate(
  world: World,
  { contender, runs, progress }: CalibrateOptions,
): Promise<KeptWorld> {
  const { name, about, claim, knownBeyond } = world;
  const { errorBudget } = specOf(world, 'salt');
  const before =
    progress === undefined ? undefined : await readProgress(progress.folder, name, progress.code);
  let tally = before?.tally ?? NO_RUNS;
  const kept = (): KeptWorld => ({
    name,
    about,
    claim,
    ...(knownBeyond === undefined ? {} : { knownBeyond }),
    budget: errorBudget,
    tally,
  });
  while (tally.runs < runs) {
    tally = withOutcome(tally, simulate(world, contender, tally.runs + 1));
    const isDue = tally.runs % KEEP_EVERY === 0 || tally.runs === runs;
    if (progress !== undefined && isDue) {
      await keepProgress(progress.folder, { ...kept(), code: progress.code });
    }
  }
  return kept();
}
