import type { RouteTable } from '../gateway/route-table.ts';
import type { Deployments } from '../models/deployments.ts';
import { routeFor } from '../rollout/route-for.ts';
import type { Stage } from '../rollout/stage.ts';
import type { RolloutObservers } from '../trials/rollout-observers.ts';

export type StageOptions = {
  readonly routes: Pick<RouteTable, 'read'>;
  readonly deployments: Pick<Deployments, 'prepare' | 'isPrepared' | 'reconcile'>;
  readonly observers: Pick<RolloutObservers, 'open' | 'close'>;
};

/** What the controller may have done in the serving column. */
export function createStage({ routes, deployments, observers }: StageOptions): Stage {
  return {
    prepare: async (rollout, signal) => {
      const route = routes.read(rollout.spec.model);
      if (route !== undefined) await deployments.prepare(routeFor(rollout, route), { signal });
    },
    isPrepared: (rollout) => {
      const route = routes.read(rollout.spec.model);
      return route !== undefined && deployments.isPrepared(routeFor(rollout, route));
    },
    prepareRoute: (route) => deployments.prepare(route),
    open: (rollout, evidence) => observers.open(rollout, evidence),
    release: async (rollout) => {
      observers.close(rollout);
      // A trial that could not be loaded as a whole ends without a change of route, and leaves what could be loaded behind.
      const route = routes.read(rollout.spec.model);
      if (route !== undefined) void deployments.reconcile(route);
    },
  };
}
