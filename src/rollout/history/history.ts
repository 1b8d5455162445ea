import type { Anchor } from '../../core/anchor.ts';
import { NO_EVIDENCE } from '../../core/evidence.ts';
import type { ModelHistory, Owed, Trial } from '../../core/model-history.ts';
import type { Checkpoint, LedgerRecord, RecordBody } from '../../core/record.ts';
import {
  type Command,
  type CommandBy,
  type Decision,
  isFinal,
  type Rollout,
  type RouteSetting,
} from '../../core/rollout.ts';
import { versionsLedTo } from '../../core/route.ts';
import {
  beginsHoldback,
  begun,
  pausedByCommand,
  promoted,
  resumed,
  type Undo,
  undone,
} from '../action/advance.ts';
import { anchorAfterPromotion, anchorAfterRoute, anchorAtStart, type Promotion } from './anchor.ts';
import { attemptsWith } from './attempts.ts';
import { extended } from './extension.ts';
import { withoutUnits } from './new-units.ts';
import { lookOfRecord } from './recorded-look.ts';
import { allTo } from './route-for.ts';

/** Trials kept per model for display; older ones stay in the ledger. */
const TRIALS_MAX = 50;

export type { ModelHistory, Owed, Trial } from '../../core/model-history.ts';

/** All that the controller knows, as a function of the ledger and of nothing else: a restart folds the records again. */
export type History = ReadonlyMap<string, ModelHistory>;

/** Why a route is on record that no command asked for. */
export const CHOICE = 'no route to go by: the newest version';

const NO_MODEL_HISTORY: ModelHistory = {
  route: undefined,
  isChoice: false,
  trials: [],
  trialsStarted: 0,
  attempts: [],
  anchor: undefined,
  owed: { kind: 'nothing' },
};

export const NO_HISTORY: History = new Map();

export function modelHistory(history: History, model: string): ModelHistory {
  return history.get(model) ?? NO_MODEL_HISTORY;
}

/** The model's rollout that has not ended, if there is one. */
export function aliveTrial(model: ModelHistory): Trial | undefined {
  const last = model.trials.at(-1);
  return last === undefined || isFinal(last.rollout.phase) ? undefined : last;
}

/** The model's last rollout that promoted its candidate and was not undone, if there is one. */
export function lastPromoted({ trials }: ModelHistory): Trial | undefined {
  return trials.findLast(({ rollout }) => rollout.phase.kind === 'promoted');
}

/** A trial by the id of its rollout; undefined: it is not among those that are kept. */
export function trialOf(history: History, rolloutId: string): Trial | undefined {
  for (const { trials } of history.values()) {
    const found = trials.find(({ rollout }) => rollout.id === rolloutId);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The versions that the record leads a model to: by its route, as its anchor, and by a running trial. */
export function versionsOnRecord(model: ModelHistory): readonly string[] {
  const spec = aliveTrial(model)?.rollout.spec;
  const { anchor } = model;
  const routed = model.route === undefined ? [] : versionsLedTo(model.route);
  const led = anchor === undefined ? routed : [...routed, anchor.version];
  return spec === undefined ? led : [...led, spec.stable, spec.candidate];
}

/** The evidence is about the packages that the trial began with; with others in their place it says nothing. */
export function swappedPackage(
  { rollout, digests }: Trial,
  digestOf: (model: string, version: string) => string | undefined,
): string | undefined {
  const { model, stable, candidate } = rollout.spec;
  if (digestOf(model, stable) !== digests.stable) return `package ${stable} has changed`;
  if (digestOf(model, candidate) !== digests.candidate) return `package ${candidate} has changed`;
  return undefined;
}

/** What a checkpoint says of all models. */
export function checkpointOf(history: History): Checkpoint {
  return { kind: 'checkpoint', form: 1, models: Object.fromEntries(history) };
}

function historyFrom({ form, models }: Checkpoint): History {
  if (form !== 1)
    throw new RangeError(
      `checkpoint: expected form 1, found ${String(form)}: a later version of this program wrote it`,
    );
  return new Map(Object.entries(models));
}

/** What is still shown of a rollout once another has begun: not what only its own next look would need. */
function summary(trial: Trial): Trial {
  const evidence = { ...withoutUnits(trial.evidence), slowBlocks: {}, latencyBlocks: {} };
  return trial.evidence === NO_EVIDENCE ? trial : { ...trial, evidence };
}

/** The history with one more record. */
export function withRecord(history: History, record: LedgerRecord): History {
  const { body } = record;
  switch (body.kind) {
    case 'route':
      return changed(history, body.route.model, (model) => ({
        ...model,
        route: body.route,
        isChoice: body.why === CHOICE,
        anchor: anchorAfterRoute(model.anchor, body.route.stable, record.atMs),
        owed: { kind: 'nothing' },
      }));
    case 'rolloutStarted':
      return changed(history, body.rollout.spec.model, (model) => ({
        ...model,
        trials: [...model.trials.map(summary), newTrial(body, record)].slice(-TRIALS_MAX),
        trialsStarted: model.trialsStarted + 1,
        isChoice: false,
        anchor: anchorAtStart(model.anchor, body.rollout, record.atMs),
        owed: { kind: 'rollout' },
      }));
    case 'rolloutLoaded': {
      const { rolloutId: id, startedMs } = body;
      const begin = (rollout: Rollout): Rollout => begun(rollout, startedMs);
      const attempted = withAttempt(history, id, startedMs);
      return withTrial(attempted, record, { id, trial: { begin }, owed: true });
    }
    case 'decision': {
      const look = lookOfRecord(body, trialOf(history, body.rolloutId));
      const { evidence, decision, before, after, hooks } = look;
      const trial = { rollout: after, evidence, decision, hooks, ...startingAgain(before, after) };
      const change = { id: body.rolloutId, trial, owed: moves(decision) };
      const { verdict } = decision;
      const next = withTrial(history, record, change);
      return takesTraffic(before, after)
        ? withPromotion(next, { rollout: after, atMs: record.atMs, verdict })
        : next;
    }
    case 'breaker': {
      const { rolloutId: id, phase } = body;
      return withTrial(history, record, { id, trial: { phase }, owed: true });
    }
    case 'command':
      return body.refused === undefined ? withCommand(history, record, body) : history;
    case 'access':
      return history;
    case 'checkpoint':
      // Read from the beginning, it says what is known.
      return history === NO_HISTORY ? historyFrom(body) : history;
  }
}

/** True where the candidate becomes stable: at the end of a holdback it has been that since its beginning. */
function takesTraffic(before: Rollout, after: Rollout): boolean {
  const isStable = ({ phase: { kind } }: Rollout): boolean =>
    kind === 'promoted' || kind === 'holdback';
  return isStable(after) && !isStable(before);
}

/** A holdback is judged by what is seen from its beginning on. */
function startingAgain(
  before: Rollout,
  after: Rollout,
): Partial<Pick<Trial, 'evidence' | 'decision'>> {
  return beginsHoldback(before, after) ? { evidence: NO_EVIDENCE, decision: undefined } : {};
}

/** A trial that has begun could promote, regardless of what became of it. */
function withAttempt(history: History, id: string, atMs: number): History {
  for (const [name, model] of history) {
    const weights = model.trials.find(({ rollout }) => rollout.id === id)?.weights;
    if (weights === undefined) continue;
    return changed(history, name, () => ({
      ...model,
      attempts: attemptsWith(model.attempts, { weights, atMs }),
    }));
  }
  return history;
}

function withPromotion(history: History, promotion: Omit<Promotion, 'digest'>): History {
  const { spec, id } = promotion.rollout;
  return changed(history, spec.model, (model) => {
    const digest = model.trials.find(({ rollout }) => rollout.id === id)?.digests.candidate ?? '';
    return { ...model, anchor: anchorAfterPromotion(model.anchor, { ...promotion, digest }) };
  });
}

function moves(decision: Decision): boolean {
  return decision.action.kind !== 'wait';
}

function newTrial(
  body: Extract<RecordBody, { kind: 'rolloutStarted' }>,
  { index, atMs, hash }: LedgerRecord,
): Trial {
  const { rollout, digests, weights } = body;
  const lastRecord = { index, atMs, hash };
  const empty = { evidence: NO_EVIDENCE, decision: undefined, step: 0 };
  return { rollout, digests, weights, ...empty, lastRecord };
}

function withCommand(
  history: History,
  record: LedgerRecord,
  { command, givenMs }: Extract<RecordBody, { kind: 'command' }>,
): History {
  if (command.kind === 'start') return history;
  if (command.kind === 'setRoute') return withSetting(history, command);
  if (command.kind === 'reloadConfig') return command.routes.reduce(withSetting, history);
  if (command.kind === 'setAnchor') return withAnchor(history, command, givenMs ?? record.atMs);
  const model = modelHistory(history, command.model);
  const trial = command.kind === 'extend' ? model.trials.at(-1) : aliveTrial(model);
  const atMs = givenMs ?? record.atMs;
  if (trial === undefined)
    return command.kind === 'undo'
      ? withoutPromotion(history, record, { ...command, atMs })
      : history;
  const rollout = commanded(trial, command, atMs);
  const { by } = command;
  const change = { rollout, ...(by && { by }), ...startingAgain(trial.rollout, rollout) };
  const next = withTrial(history, record, { id: rollout.id, trial: change, owed: true });
  return takesTraffic(trial.rollout, rollout)
    ? withPromotion(next, { rollout, atMs: record.atMs, verdict: undefined })
    : next;
}

/** The last promotion is undone: the version before it is to be the route's again. */
function withoutPromotion(
  history: History,
  record: LedgerRecord,
  { atMs, by, ...undo }: Undo & { readonly atMs: number; readonly by?: CommandBy },
): History {
  const promoted = lastPromoted(modelHistory(history, undo.model))?.rollout;
  if (promoted === undefined) return history;
  const rollout = undone(promoted, undo, atMs);
  const { stable } = rollout.spec;
  const change = { model: undo.model, stable, shares: allTo(stable), mirror: undefined };
  const trial = { rollout, ...(by && { by }) };
  const taken = withTrial(history, record, { id: rollout.id, trial, owed: false });
  return withSetting(taken, change);
}

function withAnchor(
  history: History,
  { model, version, digest, reason: why }: Extract<Command, { kind: 'setAnchor' }>,
  sinceMs: number,
): History {
  const anchor: Anchor = { version, digest, sinceMs, by: 'person', why, moves: [] };
  return changed(history, model, (before) => ({ ...before, anchor }));
}

function withSetting(history: History, { model, stable, shares, mirror }: RouteSetting): History {
  return changed(history, model, (before) => ({
    ...before,
    isChoice: false,
    owed: { kind: 'setRoute', change: { stable, shares, mirror } },
  }));
}

/** What a person made of a rollout. */
function commanded(
  trial: Trial,
  command: Extract<Command, { kind: 'promote' | 'abort' | 'undo' | 'pause' | 'resume' | 'extend' }>,
  atMs: number,
): Rollout {
  switch (command.kind) {
    case 'promote':
      return promoted(trial.rollout, atMs);
    case 'abort':
      return { ...trial.rollout, phase: { kind: 'aborted', atMs, why: command.reason } };
    case 'undo':
      return undone(trial.rollout, command, atMs);
    case 'pause':
      return pausedByCommand(trial.rollout, command.reason, atMs);
    case 'resume':
      return resumed(trial.rollout, atMs, trial.evidence);
    case 'extend':
      return extended(trial, command, atMs);
  }
}

type TrialChange = {
  readonly id: string;
  readonly trial: Partial<Trial> & {
    readonly phase?: Rollout['phase'];
    readonly begin?: (rollout: Rollout) => Rollout;
  };
  readonly owed: boolean;
};

function withTrial(history: History, record: LedgerRecord, change: TrialChange): History {
  const { index, atMs, hash } = record;
  const { phase, begin, ...rest } = change.trial;
  const move = (trial: Trial): Trial => {
    if (trial.rollout.id !== change.id) return trial;
    const rollout = rest.rollout ?? begin?.(trial.rollout) ?? trial.rollout;
    const moved = phase === undefined ? rollout : { ...rollout, phase };
    const step = 'step' in moved.phase ? moved.phase.step : trial.step;
    return { ...trial, ...rest, rollout: moved, step, lastRecord: { index, atMs, hash } };
  };
  for (const [name, model] of history) {
    if (!model.trials.some((trial) => trial.rollout.id === change.id)) continue;
    const owed: Owed = change.owed ? { kind: 'rollout' } : model.owed;
    return changed(history, name, () => ({ ...model, trials: model.trials.map(move), owed }));
  }
  return history;
}

function changed(
  history: History,
  model: string,
  change: (model: ModelHistory) => ModelHistory,
): History {
  return new Map(history).set(model, change(modelHistory(history, model)));
}
