import type { Preparation } from './preparation.ts';
import type { Command, RouteSetting } from './rollout.ts';
import type { Route } from './route.ts';

/** Where a model's traffic is to go, as its changed section says. */
export type RouteAsked =
  /**
   * There. `set` is on record, as the command to set a route is; `follow`, for a model that is to follow its newest version, and
   * `brought`, for the packages of a caller, are not.
   */
  | { readonly kind: 'set' | 'follow' | 'brought'; readonly setting: RouteSetting }
  /** Where it goes: nothing is written any more, so that it has to be on record. */
  | { readonly kind: 'keep' };

/** What a reload asks of a model that is served. */
export type ModelReconfiguration = Preparation &
  Pick<Route, 'rules' | 'aliases'> & {
    readonly model: string;
    /** Undefined: what is written of the route has not changed, and the ledger's word stands. */
    readonly asked: RouteAsked | undefined;
    /** The keys that decide who is on trial, and by what: they stay as they are while a rollout runs. */
    readonly trialKeys: readonly string[];
    /** The versions that are run otherwise than before. */
    readonly changed: ReadonlySet<string>;
    readonly versions: ReadonlySet<string>;
    /** Whether something is to be loaded or closed even where the route stays as it is. */
    readonly needsHosts: boolean;
  };

export type Reconfiguration = {
  readonly command: Omit<Extract<Command, { kind: 'reloadConfig' }>, 'kind' | 'routes'>;
  readonly models: readonly ModelReconfiguration[];
  /** Checks whether it could be carried out, and does not. */
  readonly isDryRun: boolean;
  /** Puts the new configuration in the place of the old one. Called right before routes are written; must not throw. */
  readonly commit: () => void;
};
