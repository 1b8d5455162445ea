import type { LedgerRecord } from '../core/record.ts';
import { canonicalJson } from '../ledger/canonical-json.ts';
import { advance } from './advance.ts';
import { NO_HISTORY, type Trial, withRecord } from './history.ts';
import { type Decide, judge } from './judge.ts';

/** A record that does not follow from what it was decided on. */
export type Disagreement = {
  readonly index: number;
  readonly rolloutId: string;
  /** `before`: not where the rollout stood. `decision`: another verdict or action. `after`: another phase. */
  readonly what: 'before' | 'decision' | 'after';
  readonly recorded: string;
  readonly recomputed: string;
};

export type ReplayReport = {
  readonly records: number;
  readonly decisions: number;
  readonly disagreements: readonly Disagreement[];
};

/**
 * Takes every recorded decision again, from the recorded evidence, and compares it to the last digit: the rollout before it,
 * verdict and action, and the rollout after it.
 */
export async function replay(
  records: Iterable<LedgerRecord> | AsyncIterable<LedgerRecord>,
  decide: Decide,
): Promise<ReplayReport> {
  const disagreements: Disagreement[] = [];
  let history = NO_HISTORY;
  let count = 0;
  let decisions = 0;
  for await (const record of records) {
    count += 1;
    const { body } = record;
    if (body.kind === 'decision') {
      decisions += 1;
      const trials = [...history.values()].flatMap((model) => model.trials);
      const stood = trials.find((trial) => trial.rollout.id === body.rolloutId);
      disagreements.push(...retake(record.index, body, { stood, decide }));
    }
    history = withRecord(history, record);
  }
  return { records: count, decisions, disagreements };
}

type DecisionBody = Extract<LedgerRecord['body'], { kind: 'decision' }>;

function retake(
  index: number,
  body: DecisionBody,
  { stood, decide }: { readonly stood: Trial | undefined; readonly decide: Decide },
): readonly Disagreement[] {
  const { rolloutId, evidence, before, after } = body;
  const { atMs } = body.decision;
  const decision = judge(decide, { rollout: before, evidence, atMs });
  const next = advance(before, { action: decision.action, atMs, evidence });
  const compared = [
    { what: 'before', recorded: before, recomputed: stood?.rollout },
    { what: 'decision', recorded: body.decision, recomputed: decision },
    { what: 'after', recorded: after, recomputed: next },
  ] as const;
  return compared
    .map(({ what, ...sides }) => {
      const [recorded, recomputed] = [sides.recorded, sides.recomputed].map(canonicalJson);
      return { index, rolloutId, what, recorded: recorded ?? '', recomputed: recomputed ?? '' };
    })
    .filter(({ recorded, recomputed }) => recorded !== recomputed);
}
