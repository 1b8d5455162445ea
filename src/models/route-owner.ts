import type { Adoption } from '../core/adoption.ts';
import type { Reconfiguration } from '../core/reconfiguration.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Route } from '../core/route.ts';

/**
 * What models ask of the side that owns routes, which records what it does. A `Refusal` says what stands in the way: nothing has
 * changed then.
 */
export type RouteOwner = {
  /** Brings a model's route to where the ledger says it is, or else to the configured one, and loads it. Never rejects. */
  readonly resume: (configured: Route) => Promise<void>;
  /** Takes up a model that has appeared, or one whose packages were read again. Rejects with what could not be loaded. */
  readonly adopt: (adoption: Adoption) => Promise<Refusal | undefined>;
  /** Takes a model out of service. */
  readonly forget: (model: string) => Promise<Refusal | undefined>;
  /** Applies a reload of the configuration as a whole. */
  readonly reconfigure: (asked: Reconfiguration) => Promise<Refusal | undefined>;
  readonly route: (model: string) => Route | undefined;
  /** The version that a model's allowed loss adds up against; undefined before its first rollout. */
  readonly anchorOf: (model: string) => string | undefined;
  /** The versions that the ledger leads a model to: by its route, as its anchor, and by a rollout that continues. */
  readonly recordedVersions: (model: string) => readonly string[];
};
