import type { Flood } from './exam.ts';

/**
 * Those that `npm test` has time for. `ratioMax` is some three times what was measured on two busy processors: what one core must
 * do for the flood itself, new connections above all, of which Node accepts one in each turn of its loop.
 */
export const SHORT: readonly Flood[] = [
  { name: 'unfinished bodies', connections: 60, ratioMax: 10 },
  { name: 'gzip bombs', connections: 30, ratioMax: 15 },
  { name: 'idle connections', connections: 2_000, ratioMax: 10 },
  { name: 'answers that are not read', connections: 60, ratioMax: 10 },
  { name: 'unfinished gRPC messages', connections: 12, ratioMax: 10 },
  {
    name: 'large requests to a shadow that hangs',
    connections: 8,
    ratioMax: 30,
    stopsShadow: true,
  },
];

export const LONG: readonly Flood[] = [
  ...SHORT,
  { name: 'idle connections', connections: 8_000, ratioMax: 50 },
  { name: 'idle gRPC connections', connections: 2_000, ratioMax: 15 },
];
