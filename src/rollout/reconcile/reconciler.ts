import type { SerialQueues } from '../../concurrency/serial-queues.ts';
import type { Clock } from '../../core/clock.ts';
import { ServeError } from '../../core/errors.ts';
import { NO_EVIDENCE } from '../../core/evidence.ts';
import type { RecordBody } from '../../core/record.ts';
import { type BreakerTrip, isFinal, type Rollout } from '../../core/rollout.ts';
import { type Route, type RouteView, versionsLedTo } from '../../core/route.ts';
import { begun } from '../action/advance.ts';
import { aliveTrial, CHOICE } from '../history/history.ts';
import { type Logbook, NotRecordedError } from '../history/logbook.ts';
import { routeFor } from '../history/route-for.ts';
import type { RolloutDeployer } from './deployer.ts';
import { isSameRoute, type RouteWriter } from './route-writer.ts';
import { isSamePhase, TrialLoads } from './trial-loads.ts';

export type ReconcilerOptions = {
  readonly book: Logbook;
  readonly routes: RouteView;
  readonly writer: RouteWriter;
  readonly deployer: RolloutDeployer;
  readonly clock: Clock;
  /** Called for each route that was chosen because there was none, once it is recorded. */
  readonly onFirstChoice?: (route: Route) => void;
  readonly queues: SerialQueues;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/**
 * Reconciles hosts and routes with the record. Idempotent: it compares the present state with the recorded one, so a second run
 * after a crash or a fault changes nothing twice. It loads a version before it routes traffic there, and routes traffic away before
 * it unloads one. The controller calls it for one model at a time, except for `endNow`, and does not wait for loads: what follows
 * a load runs as a task of its own.
 *
 * Only one change comes before its record: the end of traffic to a candidate whose trial ends for the worse. It can only make
 * things safer, and must not wait for a disk that is slow, full or gone. Everything else waits for the ledger.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #writer: RouteWriter;
  readonly #loads: TrialLoads;
  /** Models whose recorded state may not be in effect yet. */
  readonly #unreconciled = new Set<string>();
  /** By model: a trial that has ended and whose end is not recorded yet, in its final state. */
  readonly #ended = new Map<string, Rollout>();
  /** Those of them whose record the ledger did not take. */
  readonly #kept = new Set<string>();
  /** Models whose chosen route the ledger has not taken yet. */
  readonly #choices = new Set<string>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#writer = options.writer;
    this.#loads = new TrialLoads(options);
  }

  /** Whether something is being loaded for the model's trial. */
  isLoading(model: string): boolean {
    return this.#loads.isLoading(model);
  }

  /** Resolves once nothing is being loaded for the model's trial, and what follows has been carried out. */
  loaded(model: string): Promise<void> {
    return this.#loads.ended(model);
  }

  /** Gives up all loads and begins none any more. */
  stop(): void {
    this.#loads.stop();
  }

  /**
   * Reconciles hosts and route with the record, or begins to load what that needs. Rejects where that failed;
   * `flushAndReconcile` tries again.
   */
  async reconcile(model: string): Promise<void> {
    this.#unreconciled.add(model);
    await this.reconcilePending(model);
  }

  /** As `reconcile`, where a ledger that takes nothing is no failure. */
  async reconcileIfRecorded(model: string): Promise<void> {
    try {
      await this.reconcile(model);
    } catch (error) {
      if (!(error instanceof NotRecordedError)) throw error;
    }
  }

  /** True where all that is on record is carried out, or is being loaded; false where it waits for the ledger. */
  isUnderWay(model: string): boolean {
    return !this.#unreconciled.has(model) || this.#loads.isLoading(model);
  }

  /**
   * Puts the model's present route on record where none is, or where the one there is leads to versions that are gone. It serves
   * live traffic by now; a ledger that takes no record gets it later.
   */
  async recordChoice(model: string): Promise<void> {
    const { book, routes, onFirstChoice, onInternalError } = this.#options;
    const [route, recorded] = [routes.read(model), book.model(model).route];
    this.#choices.delete(model);
    if (route === undefined || (recorded !== undefined && isSameRoute(route, recorded))) return;
    try {
      await book.append({ kind: 'route', route, why: CHOICE });
      onFirstChoice?.(route);
    } catch (error) {
      if (error instanceof NotRecordedError) this.#choices.add(model);
      else onInternalError(`record the route of ${model}`, error);
    }
  }

  /** Retries what could not be written, then what could not be reconciled. */
  async flushAndReconcile(model: string): Promise<void> {
    await this.#options.book.flush();
    if (this.#choices.has(model)) await this.recordChoice(model);
    await this.reconcilePending(model);
  }

  /** Models of which something is still to be written, whether or not they are on record. */
  owing(): readonly string[] {
    return [...this.#choices];
  }

  /** Reconciles what is still pending, if anything; what does not end a trial for the worse waits for a healthy ledger. */
  async reconcilePending(model: string): Promise<void> {
    if (!this.#unreconciled.has(model)) return;
    const { book, routes } = this.#options;
    const { owed, trials } = book.model(model);
    const route = routes.read(model);
    const trial = trials.at(-1);
    if (route === undefined || this.rolloutEnded(model) !== undefined) return;
    const isForWorse = trial !== undefined && hasEndedForWorse(trial.rollout);
    if (book.health().kind === 'degraded' && (owed.kind === 'setRoute' || !isForWorse)) return;
    if (owed.kind === 'setRoute') {
      await this.#setRoute({ ...route, ...owed.change });
      // Of a promotion that was undone before it took effect.
      if (isForWorse) await this.#release(trial.rollout);
    } else if (trial !== undefined && !(await this.#reconcileTrial(trial.rollout, route))) return;
    this.#unreconciled.delete(model);
  }

  /**
   * Whether all traffic can go to the version that was stable before a trial: it serves, but in a holdback, where it may just
   * be loading or be started again after a crash.
   */
  canGoBack({ phase, spec: { model, stable } }: Rollout): boolean {
    if (phase.kind !== 'holdback' || this.#options.routes.read(model)?.stable === stable)
      return true;
    return this.#options.deployer.canAnswer({ model, version: stable });
  }

  /** A holdback begins: evidence starts from nothing. */
  beginHoldback(rollout: Rollout): void {
    this.#options.deployer.open(rollout, NO_EVIDENCE);
  }

  /**
   * What a trial needs cannot be loaded, or is not what it was: that ends it. It undoes a promotion that is in effect only
   * where that leaves the former version alone to answer. `reconcilePending` is to follow.
   */
  async loadFailed(rollout: Rollout, detail: string): Promise<void> {
    const { book, clock, deployer, routes, onInternalError } = this.#options;
    const { model, candidate } = rollout.spec;
    const trip = { cause: 'loadFailed', detail } as const;
    const isInEffect = routes.read(model)?.stable === candidate;
    const isDown = !deployer.canAnswer({ model, version: candidate });
    if (!isInEffect || (rollout.phase.kind === 'holdback' && isDown && this.canGoBack(rollout)))
      return this.breakOff(rollout, trip);
    if (rollout.phase.kind !== 'holdback') {
      // All traffic is where it belongs by now, and stays there.
      onInternalError(`load ${model}`, new Error(detail));
      this.#unreconciled.delete(model);
      return;
    }
    const why = `the holdback ended early: ${detail}`;
    const phase = { kind: 'promoted', atMs: clock.wallMs(), why } as const;
    this.#unreconciled.add(model);
    await book.append({ kind: 'breaker', rolloutId: rollout.id, trip, phase });
  }

  /** Ends a trial for a fault outside the statistics. `reconcilePending` is to follow. */
  async breakOff(rollout: Rollout, trip: BreakerTrip): Promise<void> {
    if (this.isKept(rollout.spec.model) || !this.canGoBack(rollout)) return;
    const after = tripped(rollout, trip, this.#options.clock.wallMs());
    const { id: rolloutId, phase } = after;
    const body = { kind: 'breaker', rolloutId, trip, phase } as const;
    await this.recordEnd(body, after);
  }

  /**
   * Routes all traffic away from the candidate of a trial that has ended like this, before it is on record. `recordEnd` has to follow
   * in the model's queue.
   */
  endNow(after: Rollout): void {
    const { model } = after.spec;
    this.#loads.cancel(model);
    if (this.#ended.get(model)?.id !== after.id) this.#ended.set(model, after);
    const route = this.#options.routes.read(model);
    if (route !== undefined) this.#writer.writeUnrecorded(routeFor(after, route));
  }

  /**
   * Ends a trial without promotion and records that. If the ledger does not take the record, it is kept, and written before
   * anything else as soon as possible. Resolves with whether it is recorded. `reconcilePending` is to follow.
   */
  async recordEnd(body: RecordBody, after: Rollout): Promise<boolean> {
    const givenMs = this.#options.clock.wallMs();
    this.endNow(after);
    this.#unreconciled.add(after.spec.model);
    const later = body.kind === 'command' ? { ...body, givenMs } : body;
    const isRecorded = await this.#options.book.appendEnd(body, later);
    if (!isRecorded) this.#kept.add(after.spec.model);
    return isRecorded;
  }

  /** True while the record that ends the model's trial waits for the ledger. */
  isKept(model: string): boolean {
    return this.rolloutEnded(model) !== undefined && this.#kept.has(model);
  }

  /** The model's trial in its actual state, while that is not recorded. */
  rolloutEnded(model: string): Rollout | undefined {
    const ended = this.#ended.get(model);
    const alive = aliveTrial(this.#options.book.model(model));
    if (ended === undefined || ended.id === alive?.rollout.id) return ended;
    this.#ended.delete(model);
    this.#kept.delete(model);
    return undefined;
  }

  /** True for a route that sends traffic to a candidate whose trial has ended by now. */
  isOutdated(route: Route): boolean {
    const ended = this.rolloutEnded(route.model);
    return ended !== undefined && versionsLedTo(route).includes(ended.spec.candidate);
  }

  /** Resolves with false where something has to be loaded first. */
  async #reconcileTrial(rollout: Rollout, route: Route): Promise<boolean> {
    const { model } = rollout.spec;
    if (hasEndedForWorse(rollout)) {
      this.#loads.cancel(model);
      await this.#routeAway(rollout, route);
      return true;
    }
    this.#load(rollout);
    return false;
  }

  #load(rollout: Rollout): void {
    const { startedMs } = rollout;
    // What is being loaded is what the first step needs.
    const needed = rollout.phase.kind === 'loading' ? begun(rollout, startedMs) : rollout;
    this.#loads.begin(needed, (problem) => this.#onLoaded({ rollout, needed, problem }));
  }

  /** In the model's queue: the trial may have come to another phase since. */
  async #onLoaded({ rollout, needed, problem }: Loaded): Promise<void> {
    const { book, routes, deployer, clock } = this.#options;
    const { model } = rollout.spec;
    const present = book.model(model).trials.at(-1)?.rollout;
    const route = routes.read(model);
    if (present === undefined || route === undefined || !isSamePhase(present, rollout)) return;
    if (this.rolloutEnded(model) !== undefined) return;
    if (problem !== undefined) {
      await this.loadFailed(present, problem);
      await this.reconcilePending(model);
      return;
    }
    // Something of it was closed again, as the model was reloaded meanwhile.
    if (!deployer.isPrepared(needed)) {
      this.#load(rollout);
      return;
    }
    if (present.phase.kind === 'loading') {
      const startedMs = clock.wallMs();
      await book.append({ kind: 'rolloutLoaded', rolloutId: present.id, startedMs });
    }
    const now = book.model(model).trials.at(-1)?.rollout ?? present;
    await this.#writer.write(routeFor(now, route), `${now.id}: ${now.phase.kind}`);
    if (isFinal(now.phase)) await this.#release(now);
    this.#unreconciled.delete(model);
  }

  /** After a restart nothing of what the route leads to is loaded. What cannot be is refused, as any route's that is on record. */
  async #setRoute(route: Route): Promise<void> {
    const { deployer, onInternalError } = this.#options;
    await deployer.prepareRoute(route).catch((error: unknown) => {
      if (!(error instanceof ServeError)) onInternalError('prepareRoute', error);
    });
    await this.#writer.write(route, 'command');
  }

  async #routeAway(rollout: Rollout, route: Route): Promise<void> {
    const away = routeFor(rollout, route);
    try {
      await this.#writer.write(away, `${rollout.id}: ${rollout.phase.kind}`, { isUrgent: true });
    } catch (error) {
      this.#writer.writeUnrecorded(away);
      throw error;
    }
    await this.#release(rollout);
  }

  async #release(rollout: Rollout): Promise<void> {
    try {
      await this.#options.deployer.release(rollout);
    } catch (error) {
      this.#options.onInternalError('release', error);
    }
  }
}

/** The rollout as a fault outside the statistics leaves it. */
export function tripped(rollout: Rollout, trip: BreakerTrip, atMs: number): Rollout {
  const why = `${trip.cause}: ${trip.detail}`;
  return { ...rollout, phase: { kind: 'rolledBack', atMs, why, decidedBy: [trip.cause] } };
}

/** True for a trial that left the version before as stable, or made it that again. */
export function hasEndedForWorse({ phase: { kind } }: Rollout): boolean {
  return kind === 'rolledBack' || kind === 'aborted';
}

type Loaded = {
  /** As it stood when the load began. */
  readonly rollout: Rollout;
  /** As it stands once that is loaded. */
  readonly needed: Rollout;
  readonly problem: string | undefined;
};
