import type { ChangeEffect } from '../core/config-change.ts';

/** What a reload applies to a gateway that runs. Everything else is taken from the file only at the start. */
const LIVE: readonly (readonly string[])[] = [
  ['models'],
  ['auth', 'anonymous'],
  ['auth', 'grants'],
  ['quotas'],
  ['rollout'],
  ['limits', 'memoryMax'],
  ['repository', 'poll'],
  ['server', 'modelControl'],
  ['server', 'readiness'],
];

/** What a reload does with a key, for any value. */
export function effectOf(path: readonly string[]): ChangeEffect {
  const isLive = LIVE.some((live) => live.every((segment, at) => path[at] === segment));
  return isLive ? 'applied' : 'restart';
}
