import { availableParallelism } from 'node:os';
import type { Instances } from '../config/model-section.ts';

/** `auto`: one core is left to the gateway, the others run one replica of one thread each. */
export function instancesOf(instances: Instances): Exclude<Instances, 'auto'> {
  if (instances !== 'auto') return instances;
  return { replicas: Math.max(1, availableParallelism() - 1), intraOpThreads: 1 };
}
