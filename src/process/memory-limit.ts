import { totalmem } from 'node:os';

/** The memory that this process may use, in bytes: the limit of its cgroup (v1 or v2), or the machine's. */
export function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
