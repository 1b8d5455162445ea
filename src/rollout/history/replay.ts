import type { LedgerRecord } from '../../core/record.ts';
import { canonicalJson } from '../../ledger/canonical-json.ts';
import { advance } from '../action/advance.ts';
import { type Decide, judge } from '../action/judge.ts';
import { NO_HISTORY, type Trial, withRecord } from './history.ts';
import { wholeEvidence } from './new-units.ts';

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
  const replaying = new Replaying(decide);
  let count = 0;
  for await (const record of records) {
    count += 1;
    replaying.add(record);
  }
  return { records: count, ...replaying.report() };
}

/** The same, record by record: of all rollouts, or of one by its id. */
export class Replaying {
  readonly #decide: Decide;
  readonly #only: string | undefined;
  readonly #disagreements: Disagreement[] = [];
  #history = NO_HISTORY;
  #decisions = 0;

  constructor(decide: Decide, only?: string) {
    this.#decide = decide;
    this.#only = only;
  }

  add(record: LedgerRecord): void {
    const { body } = record;
    if (body.kind === 'decision' && (this.#only ?? body.rolloutId) === body.rolloutId) {
      this.#decisions += 1;
      const trials = [...this.#history.values()].flatMap((model) => model.trials);
      const stood = trials.find((trial) => trial.rollout.id === body.rolloutId);
      this.#disagreements.push(...retake(record.index, body, { stood, decide: this.#decide }));
    }
    this.#history = withRecord(this.#history, record);
  }

  report(): Omit<ReplayReport, 'records'> {
    return { decisions: this.#decisions, disagreements: this.#disagreements };
  }
}

type DecisionBody = Extract<LedgerRecord['body'], { kind: 'decision' }>;

function retake(
  index: number,
  body: DecisionBody,
  { stood, decide }: { readonly stood: Trial | undefined; readonly decide: Decide },
): readonly Disagreement[] {
  const { rolloutId, before, after } = body;
  const { atMs } = body.decision;
  // What a look waits for is worded by all units that have counted, of which a record has the new ones.
  const evidence = wholeEvidence(body, stood?.evidence);
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
