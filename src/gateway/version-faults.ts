import type { ServeErrorCode } from '../core/errors.ts';
import type { Assignment } from '../core/route.ts';

/** Faults of the version, of the process it ran in, or of its pace: another version may do better. */
const VERSION_FAULTS: ReadonlySet<ServeErrorCode> = new Set([
  'runtime_failed',
  'host_lost',
  'version_not_ready',
  'internal',
  'overloaded',
  'deadline_exceeded',
]);

/** Whether stable may do better with what failed in this arm. Control is the same version, and refuses what stable refuses. */
export function isFaultOf(arm: Assignment['arm'], code: ServeErrorCode): boolean {
  return VERSION_FAULTS.has(code) || (code === 'invalid_input' && arm === 'candidate');
}
