import type { LedgerRecord } from './record.ts';
import type { Rollout } from './rollout.ts';

/** A record that was written, and the rollout that it is about as it stood before and as it stands since. */
export type RecordedChange = {
  readonly record: LedgerRecord;
  /** Undefined: there was none. */
  readonly before: Rollout | undefined;
  /** Undefined: the record is about no rollout. */
  readonly after: Rollout | undefined;
};
