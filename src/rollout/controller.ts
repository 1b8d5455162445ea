import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { type Evidence, NO_EVIDENCE } from '../core/evidence.ts';
import { sha256Hex } from '../core/hash.ts';
import type { Random } from '../core/random.ts';
import type { BreakerTrip, Command, Rollout, RolloutSpec } from '../core/rollout.ts';
import type { Route } from '../core/route.ts';
import type { Ledger } from '../ledger/ledger.ts';
import {
  type Adoption,
  findRoute,
  following,
  type RouteBasis,
  refusalOfAdoption,
} from './adoption.ts';
import { advance } from './advance.ts';
import {
  type CommandResult,
  modelOf,
  type Refusal,
  refusalOf,
  refused,
  type Submission,
} from './command.ts';
import { aliveTrial, type Trial, versionsOnRecord } from './history.ts';
import { type Decide, judge } from './judge.ts';
import { Logbook } from './logbook.ts';
import { Performer } from './performer.ts';
import { Resumption } from './resumption.ts';
import type { Routes, Stage } from './stage.ts';
import { type LatestLook, type RolloutStatus, statusOf } from './status.ts';
import { Turns } from './turns.ts';
import { isWorthRecording } from './worth-recording.ts';

export type ControllerOptions = {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly routes: Routes;
  readonly stage: Stage;
  readonly decide: Decide;
  /** All that a rollout has seen so far. */
  readonly evidence: (rolloutId: string) => Evidence;
  /** The digest of a version's package; undefined: there is no such version. */
  readonly digestOf: (model: string, version: string) => string | undefined;
  /** Why the two packages of a trial cannot be compared, in a sentence; undefined: they can. */
  readonly whyNotComparable: (spec: RolloutSpec) => string | undefined;
  /** What a model's configured route rests on; by default it is written. */
  readonly basisOf?: (model: string) => RouteBasis;
  readonly onFirstChoice?: (route: Route) => void;
  /** Why nobody is sent to a model yet that is still being read, in a sentence; by default none is. */
  readonly whyStarting?: (model: string) => string | undefined;
  readonly tickMs: number;
  /** The least time between two records of evidence while nothing is decided. */
  readonly checkpointMs?: number;
  /** Faults that nobody waits for: a tick that failed, a ledger that took no record. Must not throw. */
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/**
 * Watches over rollouts: looks at the evidence at its own pace, decides, writes the decision down, and only then carries it
 * out. The only writer of routes; everybody else submits commands. Per model one thing happens at a time, so that a slow load
 * of one model never keeps another from being rolled back.
 *
 * State lives in the ledger; what is in memory is a fold of its records, and a restart folds them again.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #book: Logbook;
  readonly #performer: Performer;
  readonly #turns = new Turns();
  readonly #resumption: Resumption;
  /** By model: the last look at its latest rollout, which may not have been worth a record. */
  readonly #looks = new Map<string, LatestLook & { readonly rolloutId: string }>();
  #timer: NodeJS.Timeout | undefined;
  #loading: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#book = new Logbook(options.ledger);
    this.#performer = new Performer({ ...options, book: this.#book });
    const { routes, stage, digestOf, onInternalError } = options;
    this.#resumption = new Resumption({
      ...{ routes, stage, digestOf, onInternalError },
      ...{ book: this.#book, performer: this.#performer, turns: this.#turns },
    });
  }

  /** Reads the ledger and does nothing else. Throws LedgerBrokenError. */
  async load(): Promise<void> {
    this.#loading ??= this.#book.load();
    await this.#loading;
  }

  /** The versions that the ledger leads a model to: by its route, and by a trial that goes on. */
  recordedVersions(model: string): readonly string[] {
    return versionsOnRecord(this.#book.model(model));
  }

  /**
   * Brings a model's route and hosts to where the ledger says they are, once that has been read. A recorded route wins over the
   * configured one (stable, shares, salt, mirror; rules and aliases stay the configuration's). The route is written at once, and
   * resolves when what it leads to is loaded, or has failed to load: nobody may be sent to it before. What was decided and not
   * carried out is carried out after that. Never rejects: a fault is reported.
   */
  async resume(configured: Route): Promise<void> {
    const { model } = configured;
    const { basisOf, onInternalError } = this.#options;
    await this.#resumption
      .resume(configured, basisOf?.(model) ?? 'written')
      .catch((error: unknown) => onInternalError(`resume ${model}`, error));
  }

  /** Looks at every rollout once. A model that is still busy with something is left out. Never rejects. */
  async tick(): Promise<void> {
    if (this.#book.isFenced()) return;
    const idle = this.#book.models().filter((model) => this.#turns.isIdle(model));
    await Promise.all(
      idle.map((model) => this.#exclusively(model, 'tick', () => this.#look(model))),
    );
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), this.#options.tickMs);
  }

  /** Stops ticking and waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#turns.drained();
  }

  /** Carries out a command, or says why not; either is on record. Rejects only if the ledger takes no record. */
  submit(submission: Submission): Promise<CommandResult> {
    return this.#turns.run(modelOf(submission), () => this.#submit(submission));
  }

  /** Ends the model's trial at once, whatever the statistics say. No trial: nothing happens. */
  trip(model: string, trip: BreakerTrip): Promise<void> {
    return this.#exclusively(model, 'trip', async () => {
      const alive = aliveTrial(this.#book.model(model));
      if (alive === undefined || this.#performer.hasEnded(model)) return;
      await this.#performer.breakOff(alive.rollout, trip);
      await this.#performer.settle(model);
    });
  }

  /**
   * Takes up a model that has appeared, as `resume` does, or one whose packages were read anew: loads what its route leads to
   * and sends people there once it is ready. A trial that one of the changed versions is part of stands in the way; the reason
   * is returned. Rejects with what could not be loaded, with everything as it was.
   */
  adopt(adoption: Adoption): Promise<Refusal | undefined> {
    const { model } = adoption.configured;
    return this.#turns.run(model, async () => {
      await this.#performer.catchUp(model);
      const present = this.#options.routes.read(model);
      if (present === undefined) {
        await this.#appear(adoption);
        return undefined;
      }
      const alive = aliveTrial(this.#book.model(model))?.rollout;
      const refusal = alive && refusalOfAdoption(alive, adoption);
      if (refusal !== undefined) return refusal;
      const found = findRoute({ ...adoption, isServed: true }, this.#book.model(model));
      if (found.kind === 'refused') return found;
      const route = alive === undefined ? found.route : present;
      await adoption.prepare(route);
      adoption.commit();
      this.#options.routes.write(following(route, present));
      if (found.isChoice) await this.#performer.recordChoice(model);
      return undefined;
    });
  }

  /** Of a model that nobody is sent to, what is to be served is loaded first. */
  async #appear(adoption: Adoption): Promise<void> {
    const { model } = adoption.configured;
    const footing = this.#resumption.footing(adoption);
    await adoption.prepare(footing.safe);
    adoption.commit();
    this.#options.routes.write(footing.safe);
    this.#resumption.open(model);
    await this.#resumption.carryOn(model, footing, true);
  }

  /**
   * Takes a model out of service: nobody is sent to it from here on. A running trial stands in the way; the reason is
   * returned. What is on record stays so, and `adopt` goes on from there.
   */
  forget(model: string): Promise<Refusal | undefined> {
    return this.#turns.run(model, async () => {
      await this.#performer.catchUp(model);
      const alive = aliveTrial(this.#book.model(model))?.rollout;
      if (alive !== undefined) {
        return refused(
          'rollout_running',
          `rollout ${alive.id} is running: promote or abort it first`,
        );
      }
      this.#options.routes.remove(model);
      return undefined;
    });
  }

  /** The model's latest rollout, alive or not. */
  status(model: string): RolloutStatus | undefined {
    const trial = this.#book.model(model).trials.at(-1);
    return trial && this.#statusOf(trial);
  }

  /** Rollouts of all models, oldest first within each; the newest 50 of each. */
  list(): readonly RolloutStatus[] {
    return this.#book
      .models()
      .flatMap((model) => this.#book.model(model).trials)
      .map((trial) => this.#statusOf(trial));
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

  #statusOf(trial: Trial): RolloutStatus {
    const { id, spec } = trial.rollout;
    const look = this.#looks.get(spec.model);
    const latest = look?.rolloutId === id ? look : undefined;
    return statusOf(trial, latest, this.#options.clock.wallMs());
  }

  // -- looking ---------------------------------------------------------------------------------------------------------

  async #look(model: string): Promise<void> {
    await this.#performer.catchUp(model);
    const trial = aliveTrial(this.#book.model(model));
    if (trial === undefined || !this.#isServed(model)) return;
    const { rollout } = trial;
    const atMs = this.#options.clock.wallMs();
    const evidence = this.#options.evidence(rollout.id);
    const decision = judge(this.#options.decide, { rollout, evidence, atMs });
    this.#looks.set(model, { evidence, decision, rolloutId: rollout.id });
    const checkpointMs = this.#options.checkpointMs ?? 1000;
    if (!isWorthRecording(trial, { evidence, decision }, checkpointMs)) return;
    const { action } = decision;
    const after = advance(rollout, { action, atMs, evidence });
    const { id: rolloutId } = rollout;
    const body = {
      kind: 'decision',
      rolloutId,
      evidence,
      decision,
      before: rollout,
      after,
    } as const;
    if (action.kind === 'rollBack') await this.#performer.recordEnd(body, after);
    else await this.#book.append(body);
    if (action.kind !== 'wait') await this.#performer.perform(model);
  }

  // -- commands --------------------------------------------------------------------------------------------------------

  async #submit(submission: Submission): Promise<CommandResult> {
    if (this.#book.isFenced()) {
      return refused('controller_fenced', 'another process writes to the ledger: ask that one');
    }
    const model = modelOf(submission);
    await this.#performer.catchUp(model);
    const command = this.#completed(submission);
    const refusal = this.#refusalOf(command) ?? (await this.#refusalOfLoading(command));
    const body = { kind: 'command', command, refused: refusal?.why } as const;
    if (refusal !== undefined) {
      await this.#book.append(body);
      return refusal;
    }
    const alive = aliveTrial(this.#book.model(model))?.rollout;
    if (command.kind === 'abort' && alive !== undefined) {
      const phase = { kind: 'aborted', atMs: 0, why: command.reason } as const;
      await this.#performer.recordEnd(body, { ...alive, phase });
    } else await this.#book.append(body);
    const started = command.kind === 'start' ? await this.#begin(command) : undefined;
    await this.#performer.perform(model);
    const revision = this.#options.routes.read(model)?.revision ?? 0;
    return { kind: 'applied', rolloutId: started ?? alive?.id, revision };
  }

  #completed(submission: Submission): Command {
    if (submission.kind !== 'start') return submission;
    const id = this.#nextId(submission.spec);
    const { random } = this.#options;
    const words = Array.from({ length: 8 }, () => random.integer(2 ** 32));
    const salt = sha256Hex([id, this.#options.clock.wallMs(), ...words].join(' ')).slice(0, 32);
    return { kind: 'start', spec: { ...submission.spec, salt } };
  }

  #nextId({ model, candidate }: { readonly model: string; readonly candidate: string }): string {
    return `${model}-${candidate}-${this.#book.model(model).trialsStarted + 1}`;
  }

  #refusalOf(command: Command): Refusal | undefined {
    const model = modelOf(command);
    const { routes, digestOf, whyNotComparable } = this.#options;
    const alive = aliveTrial(this.#book.model(model))?.rollout;
    const whyStarting = this.#whyStarting(model);
    const route = routes.read(model);
    return refusalOf(command, { route, whyStarting, alive, digestOf, whyNotComparable });
  }

  #whyStarting(model: string): string | undefined {
    const why = this.#options.whyStarting?.(model);
    return why ?? (this.#resumption.isResuming(model) ? 'its versions are loading' : undefined);
  }

  /** A route is set only to what can answer: its versions are loaded before the command is accepted. */
  async #refusalOfLoading(command: Command): Promise<Refusal | undefined> {
    const route = this.#options.routes.read(modelOf(command));
    if (command.kind !== 'setRoute' || route === undefined) return undefined;
    const { stable, shares, mirror } = command;
    try {
      await this.#options.stage.prepareRoute({ ...route, stable, shares, mirror });
      return undefined;
    } catch (error) {
      // The route as it is: what was loaded in vain is closed.
      this.#options.routes.write(route);
      return refused('not_ready', messageOf(error));
    }
  }

  /** A process that dies before this record leaves an accepted command and no rollout: whoever asked got no answer. */
  async #begin({ spec }: Extract<Command, { kind: 'start' }>): Promise<string> {
    const { clock, digestOf, stage } = this.#options;
    const startedMs = clock.wallMs();
    const rollout: Rollout = {
      id: this.#nextId(spec),
      spec,
      phase: { kind: 'progressing', step: 0, sinceMs: startedMs },
      startedMs,
      candidateRequestsAtStep: 0,
    };
    const digests = {
      stable: digestOf(spec.model, spec.stable) ?? '',
      candidate: digestOf(spec.model, spec.candidate) ?? '',
    };
    await this.#book.append({ kind: 'rolloutStarted', rollout, digests });
    stage.open(rollout, NO_EVIDENCE);
    return rollout.id;
  }

  // -- one at a time ---------------------------------------------------------------------------------------------------

  /** Runs work of a model in its turn and reports what it throws. */
  #exclusively(model: string, operation: string, work: () => Promise<void>): Promise<void> {
    return this.#turns
      .run(model, work)
      .catch((error: unknown) => this.#options.onInternalError(`${operation} ${model}`, error));
  }
}

export function createController(options: ControllerOptions): Controller {
  return new Controller(options);
}
