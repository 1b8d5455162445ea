import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { RecordBody } from '../core/record.ts';
import { type BreakerTrip, isFinal, type Rollout } from '../core/rollout.ts';
import type { Route } from '../core/route.ts';
import { CHOICE } from './history.ts';
import type { Logbook } from './logbook.ts';
import { routeFor } from './route-for.ts';
import { isSameRoute, RouteWriter } from './route-writer.ts';
import type { Routes, Stage } from './stage.ts';

export type PerformerOptions = {
  readonly book: Logbook;
  readonly routes: Routes;
  readonly stage: Stage;
  readonly clock: Clock;
  /** Told of each route that was chosen for want of one to go by, and is on record from here on. */
  readonly onFirstChoice?: (route: Route) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/**
 * Carries out what is on record. Idempotent: it compares where hosts and route are with where the record says they should
 * be, so doing it again after a crash or a fault does nothing twice. Loads before it sends anybody there; leads everybody
 * away before it unloads. The controller calls it for one model at a time.
 */
export class Performer {
  readonly #options: PerformerOptions;
  readonly #writer: RouteWriter;
  /** Models whose recorded state may not have been carried out yet. */
  readonly #unsettled = new Set<string>();
  /** Ends that were carried out although the ledger would not take them yet: by model, the record still to be written. */
  readonly #unrecorded = new Map<string, RecordBody>();

  constructor(options: PerformerOptions) {
    this.#options = options;
    this.#writer = new RouteWriter(options.routes, options.book);
  }

  /** Brings hosts and route to where the record says they are. Rejects where that failed; `catchUp` tries again. */
  async perform(model: string): Promise<void> {
    this.#unsettled.add(model);
    await this.settle(model);
  }

  /**
   * Puts the model's present route on record where none is, or where the one there is leads to versions that are gone. People are
   * served by it by now, so a ledger that takes nothing is told, and nothing more.
   */
  async recordChoice(model: string): Promise<void> {
    const { book, routes, onFirstChoice, onInternalError } = this.#options;
    const [route, recorded] = [routes.read(model), book.model(model).route];
    if (route === undefined || (recorded !== undefined && isSameRoute(route, recorded))) return;
    try {
      await book.append({ kind: 'route', route, why: CHOICE });
      onFirstChoice?.(route);
    } catch (error) {
      onInternalError(`record the route of ${model}`, error);
    }
  }

  /** Writes and carries out what could not be written or carried out before. */
  async catchUp(model: string): Promise<void> {
    const body = this.#unrecorded.get(model);
    if (body !== undefined) {
      await this.#options.book.append(body);
      this.#unrecorded.delete(model);
      this.#unsettled.add(model);
    }
    await this.settle(model);
  }

  /** Carries out what is not carried out yet, if anything. */
  async settle(model: string): Promise<void> {
    if (!this.#unsettled.has(model)) return;
    const { owed, trials } = this.#options.book.model(model);
    const route = this.#options.routes.read(model);
    const trial = trials.at(-1);
    if (route === undefined) return;
    if (owed.kind === 'setRoute') await this.#writer.write({ ...route, ...owed.change }, 'command');
    else if (trial !== undefined) await this.#settleTrial(trial.rollout, route);
    this.#unsettled.delete(model);
  }

  /** Ends a trial for a fault outside the statistics. To be settled after. */
  async breakOff(rollout: Rollout, trip: BreakerTrip): Promise<void> {
    const why = `${trip.cause}: ${trip.detail}`;
    const atMs = this.#options.clock.wallMs();
    const phase = { kind: 'rolledBack', atMs, why, decidedBy: [trip.cause] } as const;
    const body = { kind: 'breaker', rolloutId: rollout.id, trip, phase } as const;
    await this.recordEnd(body, { ...rollout, phase });
  }

  /**
   * Records that a trial ended for the worse. Should the ledger not take it (a full disk), people are led away from the
   * candidate all the same, and the record is written as soon as it can be: the one thing done before it is on record,
   * because it can only make things safer.
   */
  async recordEnd(body: RecordBody, after: Rollout): Promise<void> {
    const { model } = after.spec;
    try {
      await this.#options.book.append(body);
      this.#unsettled.add(model);
    } catch (error) {
      this.#unrecorded.set(model, body);
      const route = this.#options.routes.read(model);
      if (route !== undefined) this.#writer.writeUnrecorded(routeFor(after, route));
      throw error;
    }
  }

  /** True while the model's trial has ended in deed and not yet on record. */
  hasEnded(model: string): boolean {
    return this.#unrecorded.has(model);
  }

  async #settleTrial(rollout: Rollout, route: Route): Promise<void> {
    const { kind } = rollout.phase;
    if (kind === 'rolledBack' || kind === 'aborted') {
      await this.#leadAway(rollout, route);
      return;
    }
    const problem = await this.#prepare(rollout);
    if (problem !== undefined) {
      await this.breakOff(rollout, { cause: 'loadFailed', detail: problem });
      await this.settle(rollout.spec.model);
      return;
    }
    await this.#writer.write(routeFor(rollout, route), `${rollout.id}: ${kind}`);
    if (isFinal(rollout.phase)) await this.#release(rollout);
  }

  async #leadAway(rollout: Rollout, route: Route): Promise<void> {
    const away = routeFor(rollout, route);
    try {
      await this.#writer.write(away, `${rollout.id}: ${rollout.phase.kind}`);
    } catch (error) {
      this.#writer.writeUnrecorded(away);
      throw error;
    }
    await this.#release(rollout);
  }

  /** Loads what the rollout needs; what went wrong, in words. */
  async #prepare(rollout: Rollout): Promise<string | undefined> {
    try {
      await this.#options.stage.prepare(rollout);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  async #release(rollout: Rollout): Promise<void> {
    try {
      await this.#options.stage.release(rollout);
    } catch (error) {
      this.#options.onInternalError('release', error);
    }
  }
}
