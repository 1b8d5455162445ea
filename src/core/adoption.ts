import type { Preparation } from './preparation.ts';
import type { Route } from './route.ts';

/**
 * What a configured route rests on: `written` as it is; `newest`, as configured to follow the newest version; or `nothing`, so
 * that what is chosen has to be recorded, and no later start or load chooses another.
 */
export type RouteBasis = 'written' | 'newest' | 'nothing';

/** A model whose packages have been read, for the first time or again. */
export type Adoption = Preparation & {
  /** As it is configured: for a model of which nothing is on record, or whose recorded versions are gone. */
  readonly configured: Route;
  readonly basis: RouteBasis;
  /** The packages are a caller's own and not the repository's: what they lead to is not for the record. */
  readonly isBrought: boolean;
  /** The versions that there now are. */
  readonly versions: ReadonlySet<string>;
  /** Those of them that are not what they were, and those that are gone. */
  readonly changed: ReadonlySet<string>;
  /** Puts the packages in the place of the old ones. Called right before the route is written; must not throw. */
  readonly commit: () => void;
};
