import type { TimeSlicer } from '../../concurrency/time-slicer.ts';
import type { DecisionBody, LedgerRecord } from '../../core/record.ts';
import type { Action, CommandBy, Rollout } from '../../core/rollout.ts';
import type { MetricStatus } from '../../core/verdict.ts';
import { metricLabel } from '../../decide/metric-plans.ts';
import { NO_HISTORY, type Trial, trialOf, withRecord } from './history.ts';
import { type Look, lookOfRecord } from './recorded-look.ts';
import { setWeightBp } from './route-for.ts';

type DecisionRecord = LedgerRecord & { readonly body: DecisionBody };

/** A look with the number of its record. */
export type RecordedLook = Look & { readonly index: number };

export type ExportedDecision = {
  readonly record: number;
  readonly atMs: number;
  /** An action, a command of an operator, or the breaker. */
  readonly what: Action['kind'] | 'command' | 'breaker';
  readonly why: string;
  /** Who gave a command, and from where; absent in records of before. */
  readonly by?: CommandBy;
  /** The metrics that decided it; empty where no metric did. */
  readonly decidedBy: readonly string[];
};

/** What a ledger holds of one rollout. */
export type GatheredRollout = {
  readonly trial: Trial;
  /** The numbers of the records with its looks: of all, or of as many as suffice for a plot, with the last. */
  readonly looks: ReadonlySet<number>;
  /** The candidate's share of live traffic from each moment on, in basis points. */
  readonly weights: readonly { readonly atMs: number; readonly weightBp: number }[];
  /** What was done, and on what ground; the newest where there are very many. */
  readonly decisions: readonly ExportedDecision[];
  /** Records of the whole ledger, and the hash of the last. */
  readonly chain: { readonly records: number; readonly head: string };
};

/** A plot is no sharper with more. */
const LOOKS_MAX = 200;
const DECISIONS_MAX = 1_000;

/** Reads a ledger from its beginning, each time that it is called. */
export type ReadRecords = () => AsyncIterable<LedgerRecord> | Iterable<LedgerRecord>;

/** A rollout by its id, or by the name of a model as well, whose latest rollout is meant. */
export type RolloutName = { readonly id: string } | { readonly idOrModel: string };

/**
 * Reads one rollout from a ledger; undefined: it has none of that name. What the looks were is not kept, as that of many may take more memory
 * than there is: `looksOf` reads them again. With a slicer it reads between live requests.
 */
export async function gatherRollout(
  read: ReadRecords,
  name: RolloutName,
  slicer?: TimeSlicer,
): Promise<GatheredRollout | undefined> {
  const gathering = new Gathering(name);
  for await (const record of read()) {
    gathering.add(record);
    if (slicer?.isOver()) await slicer.next();
  }
  return gathering.result();
}

/** The looks of a rollout that was gathered, all of them, oldest first. */
export async function* looksOf(
  read: ReadRecords,
  { trial, chain }: GatheredRollout,
): AsyncGenerator<RecordedLook> {
  let history = NO_HISTORY;
  for await (const record of read()) {
    // What was written since is for the next reading.
    if (record.index >= chain.records) return;
    const { index } = record;
    if (isDecision(record) && record.body.rolloutId === trial.rollout.id)
      yield { ...lookOfRecord(record.body, trialOf(history, trial.rollout.id)), index };
    history = withRecord(history, record);
  }
}

/** What is kept while a ledger is read: of one rollout at a time, the latest of that name. */
class Gathering {
  readonly #name: RolloutName;
  #history = NO_HISTORY;
  #chain = { records: 0, head: '' };
  #trial: Trial | undefined;
  #looks: number[] = [];
  /** Every how many looks is kept; doubles as they become too many. */
  #every = 1;
  #seen = 0;
  #last: number | undefined;
  #weights: { readonly atMs: number; readonly weightBp: number }[] = [];
  #decisions: ExportedDecision[] = [];

  constructor(name: RolloutName) {
    this.#name = name;
  }

  add(record: LedgerRecord): void {
    this.#history = withRecord(this.#history, record);
    this.#chain = { records: record.index + 1, head: record.hash };
    const { body } = record;
    if (body.kind === 'rolloutStarted' && isNamed(body.rollout, this.#name)) this.#restart();
    const id = body.kind === 'rolloutStarted' ? body.rollout.id : this.#trial?.rollout.id;
    const trials = [...this.#history.values()].flatMap((model) => model.trials);
    const trial = trials.findLast(
      ({ rollout }) => rollout.id === id && isNamed(rollout, this.#name),
    );
    if (trial === undefined || trial.lastRecord.index !== record.index) return;
    this.#trial = trial;
    this.#addWeight(trial.rollout, record.atMs);
    this.#decisions = [...this.#decisions, ...decisionsOf(record)].slice(-DECISIONS_MAX);
    if (isDecision(record)) this.#addLook(record.index);
  }

  result(): GatheredRollout | undefined {
    const trial = this.#trial;
    if (trial === undefined) return undefined;
    return {
      trial,
      looks: new Set([...this.#looks, ...(this.#last === undefined ? [] : [this.#last])]),
      weights: this.#weights,
      decisions: this.#decisions,
      chain: this.#chain,
    };
  }

  #restart(): void {
    this.#looks = [];
    this.#every = 1;
    this.#seen = 0;
    this.#last = undefined;
    this.#weights = [];
    this.#decisions = [];
  }

  #addWeight(rollout: Rollout, atMs: number): void {
    const weightBp = setWeightBp(rollout);
    if (this.#weights.at(-1)?.weightBp !== weightBp) this.#weights.push({ atMs, weightBp });
  }

  #addLook(index: number): void {
    this.#last = index;
    if (this.#seen % this.#every === 0) this.#looks.push(index);
    this.#seen += 1;
    if (this.#looks.length <= LOOKS_MAX) return;
    this.#looks = this.#looks.filter((_, at) => at % 2 === 0);
    this.#every *= 2;
  }
}

function isNamed({ id, spec }: Rollout, name: RolloutName): boolean {
  return 'id' in name ? id === name.id : id === name.idOrModel || spec.model === name.idOrModel;
}

function isDecision(record: LedgerRecord): record is DecisionRecord {
  return record.body.kind === 'decision';
}

function decisionsOf({ index, atMs, body }: LedgerRecord): readonly ExportedDecision[] {
  const record = { record: index, atMs };
  switch (body.kind) {
    case 'decision': {
      const { action, verdict } = body.decision;
      if (action.kind === 'wait') return [];
      const decidedBy =
        action.kind === 'rollBack' ? action.decidedBy : provenBy(action, verdict.metrics);
      return [{ ...record, what: action.kind, why: action.why, decidedBy }];
    }
    case 'breaker': {
      const { cause, detail } = body.trip;
      return [{ ...record, what: 'breaker', why: `${cause}: ${detail}`, decidedBy: [] }];
    }
    case 'command': {
      const { command } = body;
      const why = 'reason' in command ? `${command.kind}: ${command.reason}` : command.kind;
      const { by } = command;
      return [{ ...record, what: 'command', why, ...(by && { by }), decidedBy: [] }];
    }
    default:
      return [];
  }
}

/** The metrics whose proof let a rollout promote. */
function provenBy(action: Action, metrics: readonly MetricStatus[]): readonly string[] {
  if (action.kind !== 'promote') return [];
  return metrics
    .filter(({ role, finding }) => role === 'gate' && finding === 'nonInferior')
    .map(metricLabel);
}
