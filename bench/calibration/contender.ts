import type { Random } from '../../src/core/random.ts';
import type { Ending } from './outcome.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { World, WorldRequest } from './world.ts';

/** A rule that releases or refuses a candidate: ours, or one that it is compared with. */
export type Contender = {
  readonly name: string;
  readonly begin: (setting: ContenderSetting) => Trial;
};

export type ContenderSetting = {
  readonly world: World;
  readonly time: VirtualTime;
  readonly random: Random;
  /** Names the run. */
  readonly seed: number;
};

/** One trial of one candidate, under virtual time. */
export type Trial = {
  /** Serves a request now. */
  readonly send: (request: WorldRequest, id: string) => void;
  /** Looks at what has been seen. Called at a steady pace; undefined while the trial goes on. */
  readonly look: () => { readonly ending: Ending; readonly why: string } | undefined;
  /** The gateway stops and starts again. */
  readonly restart?: () => void;
  readonly candidateRequests: () => number;
  readonly harmed: () => number;
};
