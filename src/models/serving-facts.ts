import type { ServingFacts } from '../core/repository-version.ts';
import { keepsRows } from '../core/reshape.ts';
import { isBatchable } from '../core/tensor.ts';
import type { Package } from '../repository/package.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { instancesOf } from './instances.ts';

/** How a version is run. */
export function servingFacts(
  { settings }: Pick<CatalogEntry, 'settings'>,
  { signature, modelFile, reshapes, settings: { declared } }: Package,
): ServingFacts {
  const { batch, queue, execution, instances, versions } = settings;
  const hasRows = isBatchable(signature) && reshapes.every(keepsRows);
  const sharesRuns = batch.rowsMax > 1 && hasRows;
  return {
    // A limit of one row is a batch dimension all the same.
    rowsMax: hasRows ? batch.rowsMax : 0,
    delayMs: sharesRuns ? batch.delayMs : 0,
    queueRequestsMax: queue.requestsMax,
    deadlineMs: queue.deadlineMs,
    priorityLevels: queue.priorityLevels,
    defaultPriority: queue.defaultPriority,
    replicas: instancesOf(instances).replicas,
    device: execution.providers[0] === 'cpu' ? 'cpu' : 'gpu',
    versionPolicy: versions,
    modelFile,
    reshapes,
    declared,
  };
}
