import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { isBatchable } from '../core/tensor.ts';
import { ModelStatistics } from '../gateway/model-statistics.ts';
import { JoiningStore } from '../host/joining-store.ts';
import type { Catalog } from '../models/catalog.ts';
import { Deployer, type DeployerOptions } from '../models/deployer.ts';
import { Deployments } from '../models/deployments.ts';
import { type HostWatch, watchHosts } from '../models/watch-hosts.ts';
import { type Release, releasing } from './release.ts';

type DeploymentsParts = Pick<DeployerOptions, 'clock' | 'environment'> &
  HostWatch & { readonly config: Config; readonly catalog: Catalog };

/** Everything that runs models, watched. */
export function createDeployments(parts: DeploymentsParts, release: Release): Deployments {
  const { config, catalog, clock, environment, onInternalError } = parts;
  const joinings = new JoiningStore(config.cache, (error) => onInternalError('cache', error));
  const deployer = new Deployer({
    ...{ clock, joinings, environment },
    listeners: watchHosts(parts),
  });
  const deployments = new Deployments({ catalog, deployer, onInternalError });
  release.push(releasing('the cache', () => joinings.close()));
  release.push(releasing('the processes of the models', () => deployments.close()));
  return deployments;
}

/** Counts what live versions do, for the protocol's statistics. */
export function createStatistics(catalog: Catalog): ModelStatistics {
  return new ModelStatistics({
    clock: systemClock,
    hasRows: (target) => {
      const signature = catalog.find(target)?.signature;
      return signature !== undefined && isBatchable(signature);
    },
  });
}
