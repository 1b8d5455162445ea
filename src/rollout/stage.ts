import type { Evidence } from '../core/evidence.ts';
import type { Rollout } from '../core/rollout.ts';
import type { Route } from '../core/route.ts';

/** What the controller needs done in the serving column. Given by the composition root. */
export type Stage = {
  /**
   * Loads what the rollout's phase and step need (lane, candidate, control; the new stable once promoted) and resolves when it
   * is ready. May be called again for what is loaded already. Rejects with the reason, which ends the trial, or once the signal
   * says that it is no longer wanted.
   */
  prepare(rollout: Rollout, signal: AbortSignal): Promise<void>;
  /** Whether all of that is there. */
  isPrepared(rollout: Rollout): boolean;
  /** Loads every version that a route outside a trial sends to. May be called again. */
  prepareRoute(route: Route): Promise<void>;
  /** The rollout begins, or goes on after a restart: its window counts on from this evidence. */
  open(rollout: Rollout, evidence: Evidence): void;
  /** The rollout has ended and no route leads to what only it needed. */
  release(rollout: Rollout): Promise<void>;
};

/** The routes that the gateway reads. The controller is the only one that writes them. */
export type Routes = {
  read(model: string): Route | undefined;
  list(): readonly Route[];
  write(route: Route): void;
  /** No traffic is routed to the model any more. */
  remove(model: string): void;
};
