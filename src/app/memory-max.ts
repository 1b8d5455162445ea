import { totalmem } from 'node:os';

/** The rest is for models, code and what the runtimes hold. */
const SHARE_OF_MEMORY = 4;

/** The memory that this process may use, in bytes: the limit of its cgroup (v1 or v2), or the machine's. */
export function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** `limits.memoryMax` in bytes; `auto`: a quarter of the memory, and never less than one body of the largest size. */
export function memoryBytesMax(
  configured: number | 'auto',
  bodyBytesMax: number,
  memoryBytes: number,
): number {
  if (configured !== 'auto') return configured;
  return Math.max(bodyBytesMax, Math.floor(memoryBytes / SHARE_OF_MEMORY));
}
