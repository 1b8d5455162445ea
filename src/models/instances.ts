import { availableParallelism } from 'node:os';
import type { Instances } from '../config/model-section.ts';
import { mebibytesText } from '../core/text.ts';

/** Threads for each processor, beyond which they only take each other's time, and memory for each copy of the model. */
const THREADS_PER_PROCESSOR = 8;

/** On a machine of one processor too. */
const THREADS_MIN = 16;

/** `auto`: one core is left to the gateway, the others run one replica of one thread each. */
export function instancesOf(instances: Instances): Exclude<Instances, 'auto'> {
  if (instances !== 'auto') return instances;
  return { replicas: Math.max(1, availableParallelism() - 1), intraOpThreads: 1 };
}

export type Machine = {
  readonly processors: number;
  /** Memory in bytes. */
  readonly memoryBytes: number;
};

/**
 * Checks that a machine can bear what is asked of it: each replica is a copy of the model with threads of its own.
 * `modelBytes`: of the largest version.
 *
 * @throws Error that says what is allowed, what was found and where to change it.
 */
export function checkInstances(
  instances: Instances,
  modelBytes: number,
  { processors, memoryBytes }: Machine,
): void {
  const { replicas, intraOpThreads } = instancesOf(instances);
  const threadsMax = Math.max(THREADS_MIN, THREADS_PER_PROCESSOR * processors);
  const threads = replicas * intraOpThreads;
  if (threads > threadsMax) {
    throw new Error(
      `instances: expected at most ${threadsMax} threads on a machine of ${processors} processors, found ${threads} ` +
        `(${replicas} replicas of ${intraOpThreads}). ${HOW}`,
    );
  }
  const bytes = replicas * modelBytes;
  if (bytes > memoryBytes) {
    throw new Error(
      `instances: expected copies of the model that fit ${mebibytesText(memoryBytes)} of memory, found ${replicas} of ` +
        `${mebibytesText(modelBytes)}. ${HOW}`,
    );
  }
}

const HOW =
  'Lower replicas or intraOpThreads (instance_group.count in config.pbtxt), or write instances: auto';
