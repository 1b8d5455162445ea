import type { Evidence } from '../../core/evidence.ts';
import type { Preparation } from '../../core/preparation.ts';
import type { Rollout } from '../../core/rollout.ts';
import type { Route, RouteView } from '../../core/route.ts';
import type { ModelVersion } from '../../core/version.ts';

/** Deploys what rollouts and routes need in the serving column. The composition root provides it. */
export type RolloutDeployer = {
  /**
   * Loads what the rollout's phase and step need (shadow host, candidate, control; the new stable once promoted) and resolves when
   * it is ready. May be called again for what is loaded already. Rejects with the reason, which ends the trial, or once the signal
   * says that it is no longer wanted.
   */
  prepare(rollout: Rollout, signal: AbortSignal): Promise<void>;
  /** Whether all of that is there. */
  isPrepared(rollout: Rollout): boolean;
  /** Whether a version answers at present, in whichever role. */
  canAnswer(target: ModelVersion): boolean;
  /** Loads every version that a route outside a trial sends to. May be called again. */
  prepareRoute(route: Route): Promise<void>;
  /** How what another route of a model leads to is loaded before it is accepted. One at a time for each model. */
  change(model: string): Preparation;
  /**
   * Routes traffic to what the model's present route leads to, and closes what neither it nor a change under way needs. Returns
   * before that is closed; never throws.
   */
  reconcile(model: string): void;
  /** The rollout begins, or resumes after a restart: its window counts on from this evidence. */
  open(rollout: Rollout, evidence: Evidence): void;
  /** The rollout has ended and no route leads to what only it needed. */
  release(rollout: Rollout): Promise<void>;
};

/** The routes that the gateway reads. `RouteWriter` is the only one that writes them. */
export type Routes = RouteView & {
  readonly write: (route: Route) => void;
  /** No traffic is routed to the model any more. */
  readonly remove: (model: string) => void;
};
