import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { isBatchable } from '../core/tensor.ts';
import { ModelStatistics } from '../gateway/model-statistics.ts';
import { JoiningStore } from '../host/joining-store.ts';
import type { Catalog } from '../models/catalog.ts';
import { Placement, type PlacementOptions } from '../models/placement.ts';
import { Residence } from '../models/residence.ts';
import { type Release, releasing } from './release.ts';
import { type HostWatch, watchHosts } from './watch-hosts.ts';

type ResidenceParts = Pick<PlacementOptions, 'clock' | 'environment'> &
  HostWatch & { readonly config: Config; readonly catalog: Catalog };

/** Everything that runs models, watched. */
export function createResidence(parts: ResidenceParts, release: Release): Residence {
  const { config, catalog, clock, environment, onInternalError } = parts;
  const joinings = new JoiningStore(config.cache, (error) => onInternalError('cache', error));
  const placement = new Placement({
    ...{ clock, joinings, environment },
    listeners: watchHosts(parts),
  });
  const residence = new Residence({ catalog, placement, onInternalError });
  release.push(releasing('the cache', () => joinings.close()));
  release.push(releasing('the processes of the models', () => residence.close()));
  return residence;
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
