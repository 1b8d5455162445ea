/**
 * Changes of a model whose versions are loaded before they are accepted: a route that is set, packages that are read again. One at
 * a time for each model, and apart from its turns: a load takes as long as it takes, and an abort, the end of a trial or a tick has
 * its turn meanwhile. A change is checked in a turn, loaded outside of it, and checked again in the turn that carries it out.
 */
import { type HoldOptions, SerialQueues } from '../../concurrency/serial-queues.ts';
import type { Adoption } from '../../core/adoption.ts';
import { messageOf } from '../../core/errors.ts';
import type { Preparation } from '../../core/preparation.ts';
import { type Refusal, refused } from '../../core/refusal.ts';
import type { Command } from '../../core/rollout.ts';
import type { Route, RouteView } from '../../core/route.ts';
import { findRoute, following, refusalOfAdoption } from '../history/adoption.ts';
import { aliveTrial, lastPromoted } from '../history/history.ts';
import type { Logbook } from '../history/logbook.ts';
import { allTo } from '../history/route-for.ts';
import type { RolloutDeployer } from '../reconcile/deployer.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { Resumption } from '../reconcile/resumption.ts';
import type { RouteWriter } from '../reconcile/route-writer.ts';
import type { CommandResult } from './command.ts';
import type { Commands } from './commands.ts';
import type { End } from './ending.ts';
import { refusalOfUnread } from './ledger-refusal.ts';
import { asMeant, meantBy, whyOvertaken } from './meant.ts';

export type ChangesParts = {
  readonly book: Logbook;
  readonly reconciler: Reconciler;
  readonly resumption: Resumption;
  readonly commands: Commands;
  readonly writer: RouteWriter;
  /** The turns of the models. */
  readonly queues: SerialQueues;
  readonly routes: RouteView;
  readonly deployer: Pick<RolloutDeployer, 'change'>;
};

/** How often a change is loaded for another route, as the one before was overtaken. */
const LOADS_MAX = 5;

/** What has to be loaded before a change can be carried out. */
type Load = { readonly kind: 'load'; readonly route: Route };

/** What has come of loading so far. */
type Loaded = {
  readonly isReady: (route: Route) => boolean;
  /** Why the last load failed. */
  readonly problem: { readonly error: unknown } | undefined;
};

export class Changes {
  readonly #parts: ChangesParts;
  /** Changes, one at a time for each model; the models' turns are another queue. */
  readonly #changes = new SerialQueues();

  constructor(parts: ChangesParts) {
    this.#parts = parts;
  }

  /** Does something to a model while no change of it is under way. To be called outside the model's turn. */
  run<Result>(model: string, work: () => Promise<Result>): Promise<Result> {
    return this.#changes.run(model, work);
  }

  /** Does something to several models while no change of them is under way, as `SerialQueues.holdAll`. */
  holdAll<Result>(
    models: readonly string[],
    limit: HoldOptions,
    work: () => Promise<Result>,
  ): Promise<Result> {
    return this.#changes.holdAll(models, limit, work);
  }

  /** Resolves when everything that was asked for so far has ended. */
  async drained(): Promise<void> {
    await this.#changes.drained();
  }

  /** Sets a route, once what it leads to is ready: a route leads only to what can answer. */
  async setRoute(command: Extract<Command, { kind: 'setRoute' }>): Promise<CommandResult> {
    const { model, stable, shares, mirror } = command;
    const { commands, routes, deployer, queues } = this.#parts;
    return await this.#load<CommandResult>(model, deployer.change(model), (loaded) => {
      const precondition = (): Refusal | Load | undefined => {
        const present = routes.read(model);
        const { problem } = loaded;
        if (problem !== undefined) return refused('not_ready', messageOf(problem.error));
        return present && loadOf({ ...present, stable, shares, mirror }, loaded);
      };
      return queues.run(model, () => commands.carryOut(command, precondition));
    });
  }

  /** Ends a trial, or undoes a promotion, once the version that all traffic goes back to is ready. */
  async goBack(end: End): Promise<CommandResult> {
    const { model } = end;
    const { book, commands, reconciler, routes, deployer, queues } = this.#parts;
    const meant = meantBy(end, book.model(model));
    return await this.#load<CommandResult>(model, deployer.change(model), (loaded) => {
      const precondition = (): Refusal | Load | undefined => {
        const history = book.model(model);
        const overtaken = whyOvertaken(end, meant, history);
        if (overtaken !== undefined) return overtaken;
        const alive = aliveTrial(history)?.rollout;
        const trial = alive ?? lastPromoted(history)?.rollout;
        const present = routes.read(model);
        if (trial === undefined || present === undefined) return undefined;
        if (alive !== undefined && reconciler.canGoBack(alive)) return undefined;
        const { problem } = loaded;
        if (problem !== undefined) return refused('not_ready', messageOf(problem.error));
        const { stable } = trial.spec;
        return loadOf({ ...present, stable, shares: allTo(stable), mirror: undefined }, loaded);
      };
      const carryOut = () =>
        commands.carryOut(asMeant(end, meant, book.model(model)), precondition);
      return queues.run(model, carryOut);
    });
  }

  /**
   * Takes up a model that has appeared, or one whose packages were read again. A trial that one of the changed versions is part of
   * stands in the way; the reason is returned. Rejects with what could not be loaded, with everything as it was.
   */
  async adopt(adoption: Adoption): Promise<Refusal | undefined> {
    const { model } = adoption.configured;
    return await this.#load<Refusal | undefined>(model, adoption, async (loaded) => {
      if (loaded.problem !== undefined) throw loaded.problem.error;
      return await this.#parts.queues.run(model, () => this.#adopt(adoption, loaded));
    });
  }

  /** Tries a change, and loads what it needs in between. */
  #load<Done extends { readonly kind: 'applied' | 'refused' } | undefined>(
    model: string,
    change: Preparation,
    attempt: (loaded: Loaded) => Promise<Done | Load>,
  ): Promise<Done | Refusal> {
    const tried = async (): Promise<Done | Refusal> => {
      let problem: Loaded['problem'];
      for (let loads = 0; ; loads += 1) {
        const isReady = (route: Route): boolean => loads > 0 && change.isPrepared(route);
        const step: Done | Load = await attempt({ isReady, problem });
        if (!isLoad(step)) return step;
        if (loads === LOADS_MAX) return overtaken(model);
        problem = await problemOf(change.prepare(step.route));
      }
    };
    return this.run(model, async () => {
      const done = await tried().catch(async (error: unknown) => {
        await change.end();
        throw error;
      });
      void change.end();
      return done;
    });
  }

  /** In the model's turn. Undefined: it has been carried out. */
  async #adopt(adoption: Adoption, loaded: Loaded): Promise<Refusal | Load | undefined> {
    const { book, reconciler, routes, writer } = this.#parts;
    const { model } = adoption.configured;
    const unread = refusalOfUnread(book);
    if (unread !== undefined) return unread;
    await reconciler.flushAndReconcile(model);
    const present = routes.read(model);
    if (present === undefined) return await this.#appear(adoption, loaded);
    const alive = aliveTrial(book.model(model))?.rollout;
    const refusal = alive && refusalOfAdoption(alive, adoption);
    if (refusal !== undefined) return refusal;
    const found = findRoute({ ...adoption, isServed: true }, book.model(model));
    if (found.kind === 'refused') return found;
    const route = alive === undefined ? found.route : present;
    const load = loadOf(route, loaded);
    if (load !== undefined) return load;
    adoption.commit();
    writer.place(following(route, present));
    if (found.isChoice) await reconciler.recordChoice(model);
    return undefined;
  }

  /** Of a model without traffic. */
  async #appear(adoption: Adoption, loaded: Loaded): Promise<Load | undefined> {
    const { resumption, writer } = this.#parts;
    const { model } = adoption.configured;
    const footing = resumption.footing(adoption);
    const load = loadOf(footing.safe, loaded);
    if (load !== undefined) return load;
    adoption.commit();
    writer.place(footing.safe);
    resumption.open(model);
    await resumption.carryOn(model, footing, true);
    return undefined;
  }
}

function isLoad(step: { readonly kind: string } | undefined): step is Load {
  return step?.kind === 'load';
}

function loadOf(route: Route, { isReady }: Loaded): Load | undefined {
  return isReady(route) ? undefined : { kind: 'load', route };
}

function overtaken(model: string): Refusal {
  return refused('not_ready', `the route of ${model} changed while this was loading: try again`);
}

async function problemOf(loading: Promise<void>): Promise<Loaded['problem']> {
  try {
    await loading;
    return undefined;
  } catch (error) {
    return { error };
  }
}
