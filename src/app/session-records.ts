import type { Clock } from '../core/clock.ts';
import type { CommandBy } from '../core/rollout.ts';
import { CallerQuotas } from '../gateway/quotas.ts';
import type { Controller } from '../rollout/controller.ts';

export type SessionRecordsOptions = {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly controller: Pick<Controller, 'note'>;
};

/** Records that one caller may add to the ledger by signing in and out: so many at once, and one in ten seconds. */
const AT_ONCE_MAX = 60;
const PER_SECOND_MAX = 0.1;

const LIMIT = {
  ...{ caller: '*', model: '*', concurrent: undefined },
  ...{ perSecond: PER_SECOND_MAX, burst: AT_ONCE_MAX },
};

/**
 * Puts sign-ins to the admin port on record, and sign-outs. A caller that signs in again and again fills no disk: what is beyond its limit
 * is not recorded, and hides nothing of other callers.
 */
export function sessionRecords({ clock, controller }: SessionRecordsOptions) {
  const rules = [LIMIT];
  const limits = new CallerQuotas({
    rules: () => rules,
    isModel: () => false,
    clock,
    onRefused: () => undefined,
  });
  return (what: 'signedIn' | 'signedOut', by: CommandBy): void => {
    try {
      limits.take(by.caller, '')?.release();
    } catch {
      return;
    }
    void controller.note({ kind: 'access', what, ...by });
  };
}
