import type { RouteTable } from '../gateway/route-table.ts';
import type { Residence } from '../models/residence.ts';
import { routeFor } from '../rollout/route-for.ts';
import type { Stage } from '../rollout/stage.ts';
import type { RolloutObservers } from '../trials/rollout-observers.ts';

export type StageOptions = {
  readonly routes: Pick<RouteTable, 'read'>;
  readonly residence: Pick<Residence, 'prepare' | 'isPrepared' | 'settle'>;
  readonly observers: Pick<RolloutObservers, 'open' | 'close'>;
};

/** What the controller may have done in the serving column. */
export function createStage({ routes, residence, observers }: StageOptions): Stage {
  return {
    prepare: async (rollout, signal) => {
      const route = routes.read(rollout.spec.model);
      if (route !== undefined) await residence.prepare(routeFor(rollout, route), signal);
    },
    isPrepared: (rollout) => {
      const route = routes.read(rollout.spec.model);
      return route !== undefined && residence.isPrepared(routeFor(rollout, route));
    },
    prepareRoute: (route) => residence.prepare(route),
    open: (rollout, evidence) => observers.open(rollout, evidence),
    release: async (rollout) => {
      observers.close(rollout);
      // A trial that could not be loaded as a whole ends without a change of route, and leaves what could be loaded behind.
      const route = routes.read(rollout.spec.model);
      if (route !== undefined) void residence.settle(route);
    },
  };
}
