import type { Route } from './route.ts';

/**
 * Loads the versions that a change of a model leads to, while the present ones serve. It takes as long as the versions take to
 * load, and other routes may be written meanwhile: loaded versions stay until the end.
 */
export type Preparation = {
  /** Makes ready what a route leads to. May be called again, with another route. Rejects with the reason. */
  readonly prepare: (route: Route) => Promise<void>;
  /** Whether all is ready that a route leads to. */
  readonly isPrepared: (route: Route) => boolean;
  /** The change has been carried out, or is given up: closes what was made ready and no route leads to. Resolves once that is closed. */
  readonly end: () => Promise<void>;
};
