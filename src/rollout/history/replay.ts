import type { LedgerRecord } from '../../core/record.ts';
import { canonicalJson } from '../../ledger/canonical-json.ts';
import { advance } from '../action/advance.ts';
import { type Decide, judge } from '../action/judge.ts';
import { checkpointOf, NO_HISTORY, type Trial, trialOf, withRecord } from './history.ts';
import { type Look, lookOfRecord } from './recorded-look.ts';

/** A record that does not follow from what it was decided on. */
export type Disagreement = {
  readonly index: number;
  readonly rolloutId: string;
  /**
   * `before`: not where the rollout stood. `decision`: another verdict or action. `after`: another phase. `checkpoint`: not what the
   * records before come to, of no rollout.
   */
  readonly what: 'before' | 'decision' | 'after' | 'checkpoint';
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
  #isFirst = true;

  constructor(decide: Decide, only?: string) {
    this.#decide = decide;
    this.#only = only;
  }

  /** Returns the look that the record has, whole; undefined: it has none, or one at another rollout. */
  add(record: LedgerRecord): Look | undefined {
    const look = this.#retaken(record);
    if (!this.#isFirst) this.#checkpointed(record);
    this.#isFirst = false;
    this.#history = withRecord(this.#history, record);
    return look;
  }

  /** Not of the first record: where that is one, those before are archived. */
  #checkpointed({ index, body }: LedgerRecord): void {
    if (body.kind !== 'checkpoint' || this.#only !== undefined) return;
    const [recorded, recomputed] = [body, checkpointOf(this.#history)].map(canonicalJson);
    if (recorded === recomputed) return;
    const sides = { recorded: recorded ?? '', recomputed: recomputed ?? '' };
    this.#disagreements.push({ index, rolloutId: '', what: 'checkpoint', ...sides });
  }

  #retaken({ index, body }: LedgerRecord): Look | undefined {
    if (body.kind !== 'decision' || (this.#only ?? body.rolloutId) !== body.rolloutId)
      return undefined;
    this.#decisions += 1;
    const stood = trialOf(this.#history, body.rolloutId);
    const look = lookOfRecord(body, stood);
    this.#disagreements.push(...retake(index, look, { stood, decide: this.#decide }));
    return look;
  }

  report(): Omit<ReplayReport, 'records'> {
    return { decisions: this.#decisions, disagreements: this.#disagreements };
  }
}

function retake(
  index: number,
  look: Look,
  { stood, decide }: { readonly stood: Trial | undefined; readonly decide: Decide },
): readonly Disagreement[] {
  const { evidence, before, after, hooks } = look;
  const { atMs } = look.decision;
  const rolloutId = before.id;
  const decision = judge(decide, { rollout: before, evidence, atMs, hooks });
  const next = advance(before, { action: decision.action, atMs, evidence });
  const compared = [
    { what: 'before', recorded: before, recomputed: stood?.rollout },
    { what: 'decision', recorded: look.decision, recomputed: decision },
    { what: 'after', recorded: after, recomputed: next },
  ] as const;
  return compared
    .map(({ what, ...sides }) => {
      const [recorded, recomputed] = [sides.recorded, sides.recomputed].map(canonicalJson);
      return { index, rolloutId, what, recorded: recorded ?? '', recomputed: recomputed ?? '' };
    })
    .filter(({ recorded, recomputed }) => recorded !== recomputed);
}
