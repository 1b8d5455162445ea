import { type Flood, MEMORY_MAX_MIB } from './exam.ts';

/** Those that `npm test` has time for. */
export const SHORT: readonly Flood[] = [
  { name: 'unfinished bodies', connections: 60 },
  { name: 'gzip bombs', connections: 30 },
  { name: 'idle connections', connections: 2_000 },
  { name: 'answers that are not read', connections: 60 },
  { name: 'unfinished gRPC messages', connections: 12 },
  { name: 'large requests to a shadow that hangs', connections: 8, stopsShadow: true },
];

export const LONG: readonly Flood[] = [
  ...SHORT,
  { name: 'idle connections', connections: 8_000 },
  { name: 'idle gRPC connections', connections: 2_000 },
];

/** Twice what requests may hold, as the engine finds out late what is no longer needed. */
export function memoryBoundMib(beforeMib: number): number {
  return beforeMib + 2 * MEMORY_MAX_MIB;
}
