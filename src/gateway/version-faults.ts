import type { ServeErrorCode } from '../core/errors.ts';

/** Faults of the version, of the process it ran in, or of its pace: another version may do better. */
export const VERSION_FAULTS: ReadonlySet<ServeErrorCode> = new Set([
  'runtime_failed',
  'host_lost',
  'version_not_ready',
  'internal',
  'overloaded',
  'deadline_exceeded',
]);
