import { type AnchorPlan, spentSince } from '../../core/anchor.ts';
import type { Clock } from '../../core/clock.ts';
import { sha256Hex } from '../../core/hash.ts';
import type { Random } from '../../core/random.ts';
import { type Refusal, refused } from '../../core/refusal.ts';
import type { Rollout, RolloutSpec } from '../../core/rollout.ts';
import type { RouteView } from '../../core/route.ts';
import { beginsHoldback } from '../action/advance.ts';
import { attemptNumber, weightsOfTrial } from '../history/attempts.ts';
import { aliveTrial, lastPromoted } from '../history/history.ts';
import { type Logbook, NotRecordedError } from '../history/logbook.ts';
import type { RolloutDeployer } from '../reconcile/deployer.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import { begin } from './begin.ts';
import {
  type CommandResult,
  type ModelCommand,
  modelOf,
  refusalOf,
  refusalOfEnd,
  type Submission,
  WAITS_FOR_LEDGER,
} from './command.ts';
import { type Ending, isEnd } from './ending.ts';
import { refusalOfLedger } from './ledger-refusal.ts';
import { answerOfUndo } from './meant.ts';

export type CommandsParts = {
  readonly clock: Clock;
  readonly random: Random;
  readonly routes: RouteView;
  readonly deployer: Pick<RolloutDeployer, 'open'>;
  /** The digest of a version's package; undefined: there is no such version. */
  readonly digestOf: (model: string, version: string) => string | undefined;
  /** The digest of what a version computes; undefined: there is no such version. */
  readonly weightsOf: (model: string, version: string) => string | undefined;
  /** Why the two packages of a trial cannot be compared, in a sentence; undefined: they can. */
  readonly whyNotComparable: (spec: RolloutSpec) => string | undefined;
  readonly book: Logbook;
  readonly reconciler: Reconciler;
  readonly ending: Ending;
  /** Why no traffic is routed to a model yet, in a sentence; undefined: it is served, or there is none. */
  readonly whyStarting: (model: string) => string | undefined;
};

/** What has to be done before a command that nothing else is against can be carried out; undefined: it can be now. */
type Precondition<Wanted> = () => Refusal | Wanted | undefined;

/** Carries out commands, each in its model's turn: checked against the record, put on it, and only then done. */
export class Commands {
  readonly #parts: CommandsParts;

  constructor(parts: CommandsParts) {
    this.#parts = parts;
  }

  /** Resolves with what came of it, or with what has to be done first: then nothing has been. */
  carryOut(
    submission: Submission,
    precondition?: () => Refusal | undefined,
  ): Promise<CommandResult>;
  carryOut<Wanted extends { readonly kind: 'load' }>(
    submission: Submission,
    precondition: Precondition<Wanted>,
  ): Promise<CommandResult | Wanted>;
  async carryOut<Wanted extends { readonly kind: 'load' }>(
    submission: Submission,
    precondition: Precondition<Wanted> = () => undefined,
  ): Promise<CommandResult | Wanted> {
    const { book, reconciler, ending } = this.#parts;
    try {
      if (!book.isFenced()) await reconciler.flushAndReconcile(modelOf(submission));
      const answer = answerOfUndo(submission, book.model(modelOf(submission)));
      if (answer !== undefined) return await this.#answered(submission, answer);
      if (isEnd(submission)) {
        const ended = await ending.end(submission);
        if (ended !== undefined) return ended;
      }
      return refusalOfLedger(book) ?? (await this.#carryOut(submission, precondition));
    } catch (error) {
      if (!(error instanceof NotRecordedError)) throw error;
      return refused('ledger_degraded', `${error.message}. Nothing was done`);
    }
  }

  /** A refusal is on record; what needs no doing is not. */
  async #answered(
    submission: Submission,
    answer: NonNullable<ReturnType<typeof answerOfUndo>>,
  ): Promise<CommandResult> {
    const { book } = this.#parts;
    if (answer.kind === 'undone') return this.applied(modelOf(submission), answer.rolloutId);
    const body = {
      kind: 'command',
      command: this.#completed(submission),
      refused: answer.why,
    } as const;
    await book.append(body).catch(() => undefined);
    return answer;
  }

  /** A command that is on record, as far as it has been carried out. */
  applied(model: string, rolloutId: string | undefined): CommandResult {
    const { routes, reconciler } = this.#parts;
    const revision = routes.read(model)?.revision ?? 0;
    const applied = { kind: 'applied', rolloutId, revision } as const;
    return reconciler.isUnderWay(model) ? applied : { ...applied, notYet: WAITS_FOR_LEDGER };
  }

  async #carryOut<Wanted extends { readonly kind: 'load' }>(
    submission: Submission,
    precondition: Precondition<Wanted>,
  ): Promise<CommandResult | Wanted> {
    const { book, reconciler } = this.#parts;
    const model = modelOf(submission);
    const command = this.#completed(submission);
    const alive = aliveTrial(book.model(model))?.rollout;
    const unmet = this.#refusalOf(command) ?? precondition() ?? refusalOfEnd(command, alive);
    if (unmet?.kind === 'load') return unmet;
    const body = { kind: 'command', command, refused: unmet?.why } as const;
    if (unmet !== undefined) {
      // Nothing follows from it, so a ledger that does not take it changes nothing.
      await book.append(body).catch(() => undefined);
      return unmet;
    }
    const undone = command.kind === 'undo' ? lastPromoted(book.model(model)) : undefined;
    await book.append(body);
    // It changes no route, and no trial.
    if (command.kind === 'setAnchor') return this.applied(model, undefined);
    const begun = await this.#begun(command, alive);
    await reconciler.reconcileIfRecorded(model);
    return this.applied(model, begun ?? (alive ?? undone?.rollout)?.id);
  }

  #completed(submission: Submission): ModelCommand {
    if (submission.kind === 'setAnchor') {
      const { model, version } = submission;
      return { ...submission, digest: this.#parts.digestOf(model, version) ?? '' };
    }
    if (submission.kind !== 'start') return submission;
    const id = this.#nextId(submission.spec);
    const { random, clock } = this.#parts;
    const words = Array.from({ length: 8 }, () => random.integer(2 ** 32));
    const salt = sha256Hex([id, clock.wallMs(), ...words].join(' ')).slice(0, 32);
    const { by } = submission;
    const spec = { ...submission.spec, salt, ...this.counted(submission.spec) };
    return { kind: 'start', spec, ...(by && { by }) };
  }

  /**
   * What the record adds to a rollout of this specification if it began now: which attempt it would be, and what allowed loss adds
   * up against. Nothing where its versions are not known.
   */
  counted(spec: Omit<RolloutSpec, 'salt'>): Pick<RolloutSpec, 'attempt' | 'anchor'> {
    const { book, clock, weightsOf } = this.#parts;
    const anchor = this.#anchorOf(spec);
    const weights = weightsOfTrial(spec, weightsOf);
    if (weights === undefined) return { ...(anchor && { anchor }) };
    const { attempts } = book.model(spec.model);
    const number = attemptNumber(attempts, weights, clock.wallMs());
    return { attempt: { number }, ...(anchor && { anchor }) };
  }

  /** The first rollout of a model makes its stable version the anchor. */
  #anchorOf({ model, stable }: Omit<RolloutSpec, 'salt'>): AnchorPlan | undefined {
    const { book, digestOf } = this.#parts;
    const { anchor } = book.model(model);
    if (anchor !== undefined) {
      const { version, digest } = anchor;
      return { version, digest, spent: spentSince(anchor, stable) };
    }
    const digest = digestOf(model, stable);
    return digest === undefined
      ? undefined
      : { version: stable, digest, spent: { loss: 0, unmeasured: 0 } };
  }

  #nextId({ model, candidate }: Pick<RolloutSpec, 'model' | 'candidate'>): string {
    return `${model}-${candidate}-${this.#parts.book.model(model).trialsStarted + 1}`;
  }

  #refusalOf(command: ModelCommand): Refusal | undefined {
    const model = modelOf(command);
    const { book, routes, digestOf, whyNotComparable } = this.#parts;
    const alive = aliveTrial(book.model(model))?.rollout;
    const last = book.model(model).trials.at(-1);
    const promoted = lastPromoted(book.model(model));
    const whyStarting = this.#parts.whyStarting(model);
    const route = routes.read(model);
    const { owed } = book.model(model);
    const found = { route, owed, whyStarting, alive, last, promoted };
    return refusalOf(command, { ...found, digestOf, whyNotComparable });
  }

  /** The id of the rollout that a command began, or took up again; undefined: it is about the one that runs, or about none. */
  async #begun(command: ModelCommand, alive: Rollout | undefined): Promise<string | undefined> {
    if (command.kind === 'start') return this.#begin(command);
    const present = this.#parts.book.model(modelOf(command)).trials.at(-1)?.rollout;
    if (alive !== undefined && present !== undefined && beginsHoldback(alive, present))
      this.#parts.reconciler.beginHoldback(present);
    const revived = aliveTrial(this.#parts.book.model(modelOf(command)));
    if (command.kind !== 'extend' || alive !== undefined || revived === undefined) return undefined;
    this.#parts.deployer.open(revived.rollout, revived.evidence);
    return revived.rollout.id;
  }

  async #begin({ spec }: Extract<ModelCommand, { kind: 'start' }>): Promise<string> {
    const id = this.#nextId(spec);
    await begin(id, spec, this.#parts);
    return id;
  }
}
