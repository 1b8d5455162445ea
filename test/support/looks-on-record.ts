import type { LedgerRecord } from '../../src/core/record.ts';
import { NO_HISTORY, trialOf, withRecord } from '../../src/rollout/history/history.ts';
import { type Look, lookOfRecord } from '../../src/rollout/history/recorded-look.ts';

/** The looks at all rollouts, whole, oldest first. */
export function looksOnRecord(records: readonly LedgerRecord[]): readonly Look[] {
  let history = NO_HISTORY;
  return records.flatMap((record) => {
    const { body } = record;
    const stood = history;
    history = withRecord(history, record);
    return body.kind === 'decision' ? [lookOfRecord(body, trialOf(stood, body.rolloutId))] : [];
  });
}
