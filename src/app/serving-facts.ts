import { type Config, modelConfig } from '../config/schema.ts';
import type { ServingFacts } from '../gateway/version-names.ts';
import { instancesOf } from './instances.ts';

/** How a model's versions are run. */
export function servingFacts(config: Config, model: string): ServingFacts {
  const { batch, queue, execution, instances } = modelConfig(config, model);
  return {
    rowsMax: batch.rowsMax,
    delayMs: batch.delayMs,
    queueRequestsMax: queue.requestsMax,
    deadlineMs: queue.deadlineMs,
    priorityLevels: 0,
    replicas: instancesOf(instances).replicas,
    device: execution.providers[0] === 'cpu' ? 'cpu' : 'gpu',
    versionPolicy: { kind: 'latest', count: 1 },
    modelFile: 'model.onnx',
  };
}
