import type { RouteView } from '../core/route.ts';
import type { Deployments } from '../models/deployments.ts';
import { routeFor } from '../rollout/history/route-for.ts';
import type { RolloutDeployer } from '../rollout/reconcile/deployer.ts';
import type { RolloutObservers } from '../trials/rollout-observers.ts';

export type RolloutDeployerOptions = {
  readonly routes: Pick<RouteView, 'read'>;
  readonly deployments: Pick<
    Deployments,
    'prepare' | 'isPrepared' | 'change' | 'reconcile' | 'remove' | 'find'
  >;
  readonly observers: Pick<RolloutObservers, 'open' | 'close'>;
};

/** Deploys what the controller asks for in the serving column. */
export function createRolloutDeployer({
  routes,
  deployments,
  observers,
}: RolloutDeployerOptions): RolloutDeployer {
  const reconcile = (model: string): void => {
    const route = routes.read(model);
    void (route === undefined ? deployments.remove(model) : deployments.reconcile(route));
  };
  return {
    prepare: async (rollout, signal) => {
      const route = routes.read(rollout.spec.model);
      if (route !== undefined) await deployments.prepare(routeFor(rollout, route), { signal });
    },
    isPrepared: (rollout) => {
      const route = routes.read(rollout.spec.model);
      return route !== undefined && deployments.isPrepared(routeFor(rollout, route));
    },
    canAnswer: (target) => deployments.find(target, 'stable')?.state().kind === 'ready',
    prepareRoute: (route) => deployments.prepare(route),
    change: (model) => deployments.change(model),
    reconcile,
    open: (rollout, evidence) => observers.open(rollout, evidence),
    release: async (rollout) => {
      observers.close(rollout);
      // A trial that could not be loaded as a whole ends without a change of route, and leaves what could be loaded behind.
      reconcile(rollout.spec.model);
    },
  };
}
