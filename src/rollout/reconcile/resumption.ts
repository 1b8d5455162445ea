import assert from 'node:assert/strict';
import type { SerialQueues } from '../../concurrency/serial-queues.ts';
import type { RouteBasis } from '../../core/adoption.ts';
import { ServeError } from '../../core/errors.ts';
import { endedOutOfTime, isFinal } from '../../core/rollout.ts';
import type { Route } from '../../core/route.ts';
import { findRoute, type RouteQuestion } from '../history/adoption.ts';
import { aliveTrial, swappedPackage } from '../history/history.ts';
import type { Logbook } from '../history/logbook.ts';
import { allTo, routeFor } from '../history/route-for.ts';
import type { RolloutDeployer } from './deployer.ts';
import { hasEndedForWorse, type Reconciler } from './reconciler.ts';
import type { RouteWriter } from './route-writer.ts';

export type ResumptionParts = {
  readonly deployer: Pick<RolloutDeployer, 'open' | 'prepareRoute'>;
  /** The digest of a version's package; undefined: there is no such version. */
  readonly digestOf: (model: string, version: string) => string | undefined;
  readonly onInternalError: (operation: string, error: unknown) => void;
  readonly book: Logbook;
  readonly reconciler: Reconciler;
  readonly queues: SerialQueues;
  readonly writer: RouteWriter;
};

/** The state from which a model resumes. */
export type Footing = {
  /** The route for all traffic until the versions of a trial or a late command are loaded. */
  readonly safe: Route;
  /** Whether the route was chosen because none was recorded or configured; it is then recorded. */
  readonly isChoice: boolean;
  /** No trial is running and no command is pending. */
  readonly isSettled: boolean;
};

/**
 * Takes models up where the ledger says they were. What has to be loaded for it is loaded outside the model's queue, so that a
 * load that hangs keeps no command from being heard.
 */
export class Resumption {
  readonly #parts: ResumptionParts;
  readonly #resuming = new Set<string>();

  constructor(parts: ResumptionParts) {
    this.#parts = parts;
  }

  /** True until the model's stable version is loaded, or has failed to. */
  isResuming(model: string): boolean {
    return this.#resuming.has(model);
  }

  /**
   * The route is written immediately, and the caller has to hold traffic back until this resolves: its versions are loaded by then,
   * as far as they can be. What a trial needs is loaded after that. Rejects where the ledger takes no record.
   */
  async resume(configured: Route, basis: RouteBasis): Promise<void> {
    const { model } = configured;
    const { writer, queues } = this.#parts;
    if (this.#resuming.has(model)) return;
    this.#resuming.add(model);
    try {
      const footing = await queues.run(model, async () => {
        const question = { configured, basis, versions: undefined, isBrought: false };
        const found = this.footing(question);
        writer.place(found.safe);
        this.open(model);
        return found;
      });
      const isLoaded = await this.#load(footing.safe);
      await queues.run(model, async () => {
        this.#resuming.delete(model);
        await this.carryOn(model, footing, isLoaded);
      });
    } finally {
      this.#resuming.delete(model);
    }
  }

  /** Where to resume a model of which nothing is served, from the ledger and the configuration. */
  footing(question: Omit<RouteQuestion, 'isServed'>): Footing {
    const { book } = this.#parts;
    const { model } = question.configured;
    const found = findRoute({ ...question, isServed: false }, book.model(model));
    assert(found.kind === 'found', 'nothing is refused where no version serves');
    const { route, isChoice } = found;
    const isSettled =
      aliveTrial(book.model(model)) === undefined && book.model(model).owed.kind === 'nothing';
    const held = { ...route, shares: allTo(route.stable), mirror: undefined };
    const safe = isSettled ? route : (this.#routeOwed(model, route) ?? held);
    return { safe, isChoice, isSettled };
  }

  /** Where the end of a trial leads that was recorded and not carried out; undefined: none was. */
  #routeOwed(model: string, route: Route): Route | undefined {
    const { owed, trials } = this.#parts.book.model(model);
    const last = trials.at(-1)?.rollout;
    const isOwed = owed.kind === 'rollout' && last !== undefined && hasEndedForWorse(last);
    return isOwed ? routeFor(last, route) : undefined;
  }

  /** Opens the running trial with its recorded evidence, and one that may be extended: labels of its answers still come. */
  open(model: string): void {
    const last = this.#parts.book.model(model).trials.at(-1);
    if (last === undefined) return;
    const { rollout, evidence } = last;
    if (!isFinal(rollout.phase) || endedOutOfTime(rollout))
      this.#parts.deployer.open(rollout, evidence);
  }

  /** Once traffic is served: records the chosen route and resumes what the ledger says was under way. */
  async carryOn(model: string, footing: Footing, isLoaded: boolean): Promise<void> {
    const { book, reconciler, digestOf } = this.#parts;
    // A version that could not be loaded is not worth a record: the next start may choose another.
    if (footing.isSettled && footing.isChoice && isLoaded) await reconciler.recordChoice(model);
    if (footing.isSettled) return;
    const alive = aliveTrial(book.model(model));
    const swapped = alive && swappedPackage(alive, digestOf);
    if (alive !== undefined && swapped !== undefined) {
      await reconciler.loadFailed(alive.rollout, swapped);
    }
    await reconciler.reconcile(model);
  }

  async #load(route: Route): Promise<boolean> {
    try {
      await this.#parts.deployer.prepareRoute(route);
      return true;
    } catch (error) {
      // A version that cannot be served is no fault of ours, and the watch on hosts has reported it.
      if (!(error instanceof ServeError)) this.#parts.onInternalError('prepareRoute', error);
      return false;
    }
  }
}
