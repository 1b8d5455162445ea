import { SerialQueues } from '../concurrency/serial-queues.ts';
import type { Adoption, RouteBasis } from '../core/adoption.ts';
import type { Clock } from '../core/clock.ts';
import type { Evidence } from '../core/evidence.ts';
import type { RolloutHooks } from '../core/hook-answers.ts';
import type { Random } from '../core/random.ts';
import type { Reconfiguration } from '../core/reconfiguration.ts';
import type { RecordBody } from '../core/record.ts';
import type { RecordedChange } from '../core/recorded-change.ts';
import { type Refusal, refused } from '../core/refusal.ts';
import type { BreakerTrip, Rollout, RolloutSpec } from '../core/rollout.ts';
import type { Route } from '../core/route.ts';
import type { Ledger, LedgerHealth, LedgerSize } from '../ledger/ledger.ts';
import type { Decide } from './action/judge.ts';
import { Changes } from './commands/changes.ts';
import { type CommandResult, modelOf, runningText, type Submission } from './commands/command.ts';
import { Commands } from './commands/commands.ts';
import { Ending, isEnd } from './commands/ending.ts';
import { refusalOfLedger } from './commands/ledger-refusal.ts';
import { answerOfUndo, asMeant, meantBy, whyNotLoaded, whyOvertaken } from './commands/meant.ts';
import { reconfigure } from './commands/reconfigure.ts';
import type { CheckedExport } from './evidence/export.ts';
import { EvidenceExports } from './evidence/exports.ts';
import { aliveTrial, type ModelHistory, versionsOnRecord } from './history/history.ts';
import { Logbook, NotRecordedError } from './history/logbook.ts';
import { Looks, type LooksOptions } from './looks.ts';
import type { RolloutDeployer, Routes } from './reconcile/deployer.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { Resumption } from './reconcile/resumption.ts';
import { RouteWriter } from './reconcile/route-writer.ts';
import type { RolloutStatus } from './status.ts';
import { type PageAsked, pageOf, type RolloutPage, summaryOf } from './summary.ts';

export type ControllerOptions = {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly routes: Routes;
  readonly deployer: RolloutDeployer;
  readonly decide: Decide;
  /** All that a rollout has seen so far. */
  readonly evidence: (rolloutId: string) => Evidence;
  /** The digest of a version's package; undefined: there is no such version. */
  readonly digestOf: (model: string, version: string) => string | undefined;
  /** The digest of what a version computes, by which attempts are counted; by default that of its package. */
  readonly weightsOf?: (model: string, version: string) => string | undefined;
  /** Why the two packages of a trial cannot be compared, in a sentence; undefined: they can. */
  readonly whyNotComparable: (spec: RolloutSpec) => string | undefined;
  /** What a model's configured route rests on; by default it is written. */
  readonly basisOf?: (model: string) => RouteBasis;
  readonly onFirstChoice?: (route: Route) => void;
  /** Why no traffic is routed to a model that is still being read, in a sentence; by default none is. */
  readonly whyStarting?: (model: string) => string | undefined;
  readonly mirrorHealth?: LooksOptions['mirrorHealth'];
  readonly onMirrorHealth?: LooksOptions['onMirrorHealth'];
  readonly anchorState?: LooksOptions['anchorState'];
  /** Called for each record that was written; must not throw. */
  readonly onRecorded?: (change: RecordedChange) => void;
  /** What webhooks say of rollouts; by default none is asked. */
  readonly hooks?: RolloutHooks | undefined;
  readonly tickMs: number;
  /** The least time between two records of evidence while nothing is decided; by default 5 s. */
  readonly checkpointMs?: number;
  /** Faults outside any call: a tick that failed, a ledger that took no record. Must not throw. */
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/**
 * Watches over rollouts: looks at the evidence at its own pace, decides, writes the decision down, and only then carries it
 * out. The only writer of routes; other components submit commands. Per model one thing happens at a time, so that a slow load
 * of one model never keeps another from being rolled back.
 *
 * State lives in the ledger; what is in memory is a fold of its records, and a restart folds them again.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #book: Logbook;
  readonly #writer: RouteWriter;
  readonly #reconciler: Reconciler;
  readonly #queues = new SerialQueues();
  readonly #resumption: Resumption;
  readonly #looks: Looks;
  readonly #ending: Ending;
  readonly #commands: Commands;
  readonly #changes: Changes;
  readonly #exports: EvidenceExports;
  #timer: NodeJS.Timeout | undefined;
  #loading: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#book = new Logbook(options.ledger, options.onRecorded);
    this.#exports = new EvidenceExports(options);
    const shared = { ...options, book: this.#book, queues: this.#queues };
    const isOutdated = (route: Route): boolean => this.#reconciler.isOutdated(route);
    this.#writer = new RouteWriter({ ...shared, isOutdated });
    this.#reconciler = new Reconciler({ ...shared, writer: this.#writer });
    const parts = { ...shared, writer: this.#writer, reconciler: this.#reconciler };
    this.#resumption = new Resumption(parts);
    const isServed = (model: string): boolean => this.#isServed(model);
    this.#looks = new Looks({ ...parts, isServed });
    const revisionOf = (model: string): number => options.routes.read(model)?.revision ?? 0;
    this.#ending = new Ending({ ...parts, revisionOf });
    const whyStarting = (model: string): string | undefined => this.#whyStarting(model);
    const weightsOf = options.weightsOf ?? options.digestOf;
    this.#commands = new Commands({ ...parts, weightsOf, ending: this.#ending, whyStarting });
    this.#changes = new Changes({
      ...parts,
      resumption: this.#resumption,
      commands: this.#commands,
    });
  }

  /**
   * Reads the ledger and does nothing else. Throws LedgerBrokenError. Commands are refused, and `resume` must not be called, before
   * it has resolved.
   */
  async load(): Promise<void> {
    this.#loading ??= this.#book.load();
    await this.#loading;
  }

  /** The versions that the ledger leads a model to: by its route, and by a running trial. */
  recordedVersions(model: string): readonly string[] {
    return versionsOnRecord(this.#book.model(model));
  }

  /**
   * Brings a model's route and hosts to the state that the ledger records, once it has been read. A recorded route wins over
   * the configured one (stable, shares, salt, mirror; rules and aliases stay the configuration's). Writes the route immediately;
   * resolves when the versions that it leads to are loaded, or have failed to load: no traffic may be routed to the model before.
   * Pending decisions are carried out after that. Never rejects: a fault is reported.
   */
  async resume(configured: Route): Promise<void> {
    const { model } = configured;
    const basis = this.#options.basisOf?.(model) ?? 'written';
    await this.#resumption
      .resume(configured, basis)
      .catch((error: unknown) => this.#report(`resume ${model}`, error));
  }

  /**
   * Looks at every rollout once, and resolves when what follows has been loaded and carried out. A model that is still busy with
   * something is left out. Never rejects.
   */
  async tick(): Promise<void> {
    if (this.#book.isFenced()) return;
    const models = new Set([...this.#book.models(), ...this.#reconciler.owing()]);
    const idle = [...models].filter((model) => this.#queues.isIdle(model));
    await Promise.all(
      idle.map(async (model) => {
        await this.#exclusively(model, 'tick', () => this.#looks.look(model));
        await this.#reconciler.loaded(model);
      }),
    );
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), this.#options.tickMs);
  }

  /** Stops looking, and gives up loads for trials: they resume in the next process. */
  halt(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#reconciler.stop();
  }

  /** Halts, and waits for what is under way. */
  async stop(): Promise<void> {
    this.halt();
    await this.#changes.drained();
    await this.#queues.drained();
    await this.#book.flush();
    const count = this.#book.unrecorded();
    if (count > 0) this.#options.onInternalError('stop', new Error(lostEndsText(count)));
  }

  /** Resolves once nothing is being loaded for the model's trial, and what follows has been carried out. */
  loaded(model: string): Promise<void> {
    return this.#reconciler.loaded(model);
  }

  /**
   * Carries out a command, or says why not; either is on record. A rollout that is started is being loaded by then, and has not
   * begun; what other commands need is loaded. While the ledger takes no records a command is refused, but for an abort, or an undo
   * in a holdback: that routes all traffic to stable before anything else, regardless of what else is under way, and is answered
   * within two seconds.
   */
  async submit(submission: Submission): Promise<CommandResult> {
    const model = modelOf(submission);
    const isAnswered = answerOfUndo(submission, this.#book.model(model)) !== undefined;
    if (isEnd(submission) && !isAnswered) this.#ending.now(submission);
    const result = this.#submit(submission);
    if (isEnd(submission)) return this.#ending.answer(result, submission);
    const done = await result;
    if (submission.kind === 'start' || done.kind === 'refused') return done;
    await this.#reconciler.loaded(model);
    return this.#commands.applied(model, done.rolloutId);
  }

  /** What loads before it is accepted, and what must not begin meanwhile, waits for the change before; the rest for its turn only. */
  #submit(submission: Submission): Promise<CommandResult> {
    const model = modelOf(submission);
    const meant = meantBy(submission, this.#book.model(model));
    const carryOut = (): Promise<CommandResult> =>
      this.#queues.run(model, () => this.#carryOut(submission, meant));
    switch (submission.kind) {
      case 'setRoute':
        return this.#changes.setRoute(submission);
      case 'start':
      case 'extend':
        return this.#changes.run(model, carryOut);
      case 'abort':
      case 'undo':
        return this.#ending.isImmediate(submission) ? carryOut() : this.#changes.goBack(submission);
      default:
        return carryOut();
    }
  }

  #carryOut(submission: Submission, meant: Rollout | undefined): Promise<CommandResult> {
    const { deployer } = this.#options;
    const history = (): ModelHistory => this.#book.model(modelOf(submission));
    const asked = asMeant(submission, meant, history());
    const whyNot = (): Refusal | undefined =>
      whyOvertaken(submission, meant, history()) ?? whyNotLoaded(asked, history(), deployer);
    return this.#commands.carryOut(asked, whyNot);
  }

  /** Ends the model's trial immediately, regardless of the statistics. No trial: nothing happens. */
  trip(model: string, trip: BreakerTrip): Promise<void> {
    this.#ending.tripNow(model, trip);
    return this.#exclusively(model, 'trip', async () => {
      const alive = aliveTrial(this.#book.model(model));
      if (alive === undefined) return;
      await this.#reconciler.breakOff(alive.rollout, trip);
      await this.#reconciler.reconcilePending(model);
    });
  }

  /**
   * Takes up a model that has appeared, as `resume` does, or one whose packages were reloaded: loads what its route leads to
   * and routes traffic there once it is ready. A running trial with one of the changed versions prevents it; the reason
   * is returned. Rejects with what could not be loaded, with everything as it was.
   */
  adopt(adoption: Adoption): Promise<Refusal | undefined> {
    return this.#changes.adopt(adoption);
  }

  /**
   * Takes a model out of service: no traffic is routed to it from here on. A running trial prevents it; the reason is
   * returned. The records stay, and `adopt` resumes from them.
   */
  forget(model: string): Promise<Refusal | undefined> {
    const work = async (): Promise<Refusal | undefined> => {
      await this.#reconciler.flushAndReconcile(model);
      const alive = aliveTrial(this.#book.model(model))?.rollout;
      if (alive !== undefined) {
        return refused('rollout_running', runningText(alive));
      }
      this.#writer.remove(model);
      return undefined;
    };
    return this.#changes.run(model, () => this.#queues.run(model, work));
  }

  /** Carries out a reload of the configuration, or resolves with a refusal. */
  async reconfigure(asked: Reconfiguration): Promise<Refusal | undefined> {
    const parts = {
      ...{ book: this.#book, reconciler: this.#reconciler, queues: this.#queues },
      ...{ writer: this.#writer, changes: this.#changes },
    };
    return (
      refusalOfLedger(this.#book) ?? (await reconfigure(asked, { ...this.#options, ...parts }))
    );
  }

  /** Puts on record who may call from now on, or who signed in. Where the ledger does not take it, a fault is reported. Never rejects. */
  async note(access: Extract<RecordBody, { kind: 'access' }>): Promise<void> {
    await this.#book.append(access).catch((error: unknown) => this.#report('access', error));
  }

  /** The specification as it would be put on record now: with the number of the attempt. */
  counted(spec: Omit<RolloutSpec, 'salt'>): Omit<RolloutSpec, 'salt'> {
    return { ...spec, ...this.#commands.counted(spec) };
  }

  /** The model's latest rollout, alive or not. */
  status(model: string): RolloutStatus | undefined {
    const trial = this.#book.model(model).trials.at(-1);
    return trial && this.#looks.statusOf(trial, { details: true });
  }

  /** The same, once the details of its metrics are those of the latest look, or of one that has just passed. */
  async detailedStatus(model: string): Promise<RolloutStatus | undefined> {
    const trial = this.#book.model(model).trials.at(-1);
    if (trial !== undefined) await this.#looks.detailsOf(trial);
    return this.status(model);
  }

  /**
   * Rollouts of all models, oldest first within each; the newest 50 of each or only the latest, the last with the details of its
   * metrics.
   */
  list({ isLatestOnly = false } = {}): readonly RolloutStatus[] {
    return this.#book.models().flatMap((model) => {
      const { trials } = this.#book.model(model);
      const newest = trials.at(-1);
      const shown = isLatestOnly ? trials.slice(-1) : trials;
      return shown.map((trial) => this.#looks.statusOf(trial, { details: trial === newest }));
    });
  }

  /** Rollouts of one model, newest first, of the newest 50; undefined where `before` is none of them. */
  history(model: string, asked: PageAsked): RolloutPage | undefined {
    const { trials, trialsStarted } = this.#book.model(model);
    const page = pageOf(trials, asked, ({ rollout }) => rollout.id);
    if (page === undefined) return undefined;
    const { items, next } = page;
    return {
      rollouts: items.map((trial) =>
        summaryOf(this.#looks.statusOf(trial, { details: false }), trial),
      ),
      ...(next !== undefined && { next }),
      older: trialsStarted - trials.length,
    };
  }

  /** All that the ledger has of one rollout, by its id. Undefined: nothing. Rejects as `EvidenceExports` does. */
  exportEvidence(id: string): Promise<CheckedExport | undefined> {
    return this.#exports.of(id);
  }

  /** The version that a model's allowed loss adds up against; undefined before its first rollout. */
  anchorOf(model: string): string | undefined {
    return this.#book.model(model).anchor?.version;
  }

  route(model: string): Route | undefined {
    return this.#options.routes.read(model);
  }

  /** True once another process has written to the ledger: this controller decides nothing more. */
  isFenced(): boolean {
    return this.#book.isFenced();
  }

  #isServed(model: string): boolean {
    return this.#options.routes.read(model) !== undefined && !this.#resumption.isResuming(model);
  }

  /** Whether the ledger takes records, how many ends of rollouts wait for that, and how large it is. */
  ledger(): LedgerHealth & LedgerSize & { readonly unrecorded: number } {
    const size = this.#options.ledger.size();
    return { ...this.#book.health(), ...size, unrecorded: this.#book.unrecorded() };
  }

  #whyStarting(model: string): string | undefined {
    const why = this.#options.whyStarting?.(model);
    return why ?? (this.#resumption.isResuming(model) ? 'its versions are loading' : undefined);
  }

  /** Runs work of a model in its turn and reports what it throws. */
  #exclusively(model: string, operation: string, work: () => Promise<void>): Promise<void> {
    return this.#queues
      .run(model, work)
      .catch((error: unknown) => this.#report(`${operation} ${model}`, error));
  }

  #report(operation: string, error: unknown): void {
    // The ledger says itself that it takes nothing, once.
    if (!(error instanceof NotRecordedError)) this.#options.onInternalError(operation, error);
  }
}

export function createController(options: ControllerOptions): Controller {
  return new Controller(options);
}

function lostEndsText(count: number): string {
  return `${count} rollouts have ended and the ledger did not take that: abort them again after the next start`;
}
