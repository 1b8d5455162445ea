/**
 * Carries out a reload of the configuration for all models that it touches, or for none: everything is checked and made ready
 * while the present state serves, then recorded, and only then takes the place of the present state.
 */

import type { SerialQueues } from '../../concurrency/serial-queues.ts';
import { messageOf, ServeError } from '../../core/errors.ts';
import type { ModelReconfiguration, Reconfiguration } from '../../core/reconfiguration.ts';
import { type Refusal, refused } from '../../core/refusal.ts';
import type { Rollout, RouteSetting } from '../../core/rollout.ts';
import { type Route, type RouteView, versionsLedTo } from '../../core/route.ts';
import { following, refusalOfAdoption } from '../history/adoption.ts';
import { aliveTrial } from '../history/history.ts';
import type { Logbook } from '../history/logbook.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import { isSameRoute, type RouteWriter } from '../reconcile/route-writer.ts';
import type { Changes } from './changes.ts';

export type ReconfigureOptions = {
  readonly book: Logbook;
  readonly reconciler: Reconciler;
  readonly routes: RouteView;
  readonly writer: RouteWriter;
  readonly queues: SerialQueues;
  readonly changes: Pick<Changes, 'holdAll'>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** How long a reload waits for commands and loads that are under way; milliseconds. */
const WAIT_MS_MAX = 20_000;

/** How often what a reload leads to is loaded again, as a route changed meanwhile. */
const LOADS_MAX = 5;

/** A model's place in a reload, once it is known what it comes to. */
type Move = {
  readonly change: ModelReconfiguration;
  readonly present: Route;
  readonly next: Route;
  /** Undefined: the model's route does not change, or is nothing for the record. */
  readonly recorded: RouteSetting | undefined;
};

/** What has to be loaded before a reload can be carried out. */
type Load = { readonly kind: 'load'; readonly moves: readonly Move[] };

/**
 * Resolves with a refusal if something prevents it: nothing has changed then. Loads outside the turns of the models, as a
 * `Changes` does, and no other change of them begins meanwhile.
 */
export async function reconfigure(
  asked: Reconfiguration,
  options: ReconfigureOptions,
): Promise<Refusal | undefined> {
  const { queues, changes } = options;
  const models = asked.models.map(({ model }) => model).sort();
  const late = () =>
    new ServeError('conflict', 'models are still being loaded: try again once they are');
  const limit = { waitMsMax: WAIT_MS_MAX, late };
  return await changes.holdAll(models, limit, async () => {
    let problem: Refusal | undefined;
    for (let loads = 0; ; loads += 1) {
      const known = { loads, problem };
      const step = await queues
        .holdAll(models, limit, () => attempt(asked, known, options))
        .catch(async (error: unknown) => {
          await end(asked);
          throw error;
        });
      if (step?.kind !== 'load') {
        if (loads > 0) await end(asked, step !== undefined);
        return step;
      }
      problem = await prepareAll(step.moves);
    }
  });
}

/** In the turns of all models: checks, and carries out where all is loaded. Undefined: it has been. */
async function attempt(
  { command, models, isDryRun, commit }: Reconfiguration,
  { loads, problem }: { readonly loads: number; readonly problem: Refusal | undefined },
  options: ReconfigureOptions,
): Promise<Refusal | Load | undefined> {
  const { book, reconciler, writer } = options;
  const sorted = [...models].sort((a, b) => (a.model < b.model ? -1 : 1));
  for (const { model } of sorted) await reconciler.flushAndReconcile(model);
  const refusals = sorted.flatMap((each) => refusalOf(each, options) ?? []);
  if (isDryRun) return joined(refusals);
  const moves = sorted.flatMap((each) => moveOf(each, options) ?? []);
  const refusal = joined(refusals) ?? problem;
  const missing = moves.filter((move) => needsLoad(move, loads > 0));
  if (refusal === undefined && missing.length > 0)
    return loads < LOADS_MAX ? { kind: 'load', moves: missing } : overtaken(missing);
  const routes = moves.flatMap(({ recorded }) => recorded ?? []);
  const body = { kind: 'command', command: { kind: 'reloadConfig', ...command, routes } } as const;
  try {
    await book.append({ ...body, refused: refusal?.why });
  } catch (error) {
    return refusal ?? refused('ledger_degraded', messageOf(error));
  }
  if (refusal !== undefined) return refusal;
  commit();
  for (const { next } of moves) writer.place(next);
  await record(moves, options);
  return undefined;
}

function needsLoad({ change, present, next }: Move, wasLoaded: boolean): boolean {
  if (!change.needsHosts && next === present) return false;
  return !wasLoaded || !change.isPrepared(next);
}

function overtaken(moves: readonly Move[]): Refusal {
  const models = moves.map(({ change }) => change.model).join(', ');
  return refused('not_ready', `routes changed while this was loading (${models}): try again`);
}

/** Closes what was loaded for a change that is not applied; `isWaiting`: resolves once that is closed. */
async function end({ models }: Reconfiguration, isWaiting = true): Promise<void> {
  const ended = Promise.all(models.map((change) => change.end()));
  if (isWaiting) await ended;
}

/** All refusals as one. */
function joined(refusals: readonly Refusal[]): Refusal | undefined {
  const [first] = refusals;
  return first && refused(first.code, refusals.map(({ why }) => why).join('; '));
}

function refusalOf(
  change: ModelReconfiguration,
  { book }: ReconfigureOptions,
): Refusal | undefined {
  const { model, asked, versions } = change;
  const history = book.model(model);
  const alive = aliveTrial(history)?.rollout;
  if (alive !== undefined) return refusalOfTrial(alive, change);
  if (asked === undefined || asked.kind === 'keep') return undefined;
  const { setting } = asked;
  if (asked.kind === 'follow' && history.route !== undefined && !history.isChoice) {
    const why = `models.${model}.route: expected versions: the ledger says stable ${history.route.stable}, by a command or a promotion, and following the newest version does not overrule that`;
    return refused('route_in_the_way', why);
  }
  const missing = versionsLedTo(setting).find((version) => !versions.has(version));
  if (missing === undefined) return undefined;
  return refused(
    'unknown_version',
    `models.${model}.route: no version ${missing} of ${model} in the repository: found ${[...versions].join(', ')}`,
  );
}

function refusalOfTrial(alive: Rollout, change: ModelReconfiguration): Refusal | undefined {
  const [key] = change.trialKeys;
  const refusal = refusalOfAdoption(alive, change);
  if (key === undefined)
    return refusal && refused(refusal.code, `models.${change.model}: ${refusal.why}`);
  return refused(
    'rollout_running',
    `models.${change.model}.${key}: rollout ${alive.id} is running: promote or abort it first`,
  );
}

/** Undefined for a model that gets no traffic. */
function moveOf(
  change: ModelReconfiguration,
  { routes, book }: ReconfigureOptions,
): Move | undefined {
  const { model, rules, aliases, asked } = change;
  const present = routes.read(model);
  if (present === undefined) return undefined;
  if (aliveTrial(book.model(model)) !== undefined)
    return { change, present, next: present, recorded: undefined };
  const setting = asked === undefined || asked.kind === 'keep' ? settingOf(present) : asked.setting;
  const { stable, shares, mirror } = setting;
  const next = following({ ...present, stable, shares, mirror, rules, aliases }, present);
  const isUnrecorded = asked?.kind === 'keep' && book.model(model).route === undefined;
  const isMoved = asked?.kind === 'set' && !isSameRoute(next, present);
  return { change, present, next, recorded: isUnrecorded || isMoved ? setting : undefined };
}

function settingOf({ model, stable, shares, mirror }: Route): RouteSetting {
  return { model, stable, shares, mirror };
}

/** One model after the other, so that what is served keeps its processors. Resolves with what could not be loaded. */
async function prepareAll(moves: readonly Move[]): Promise<Refusal | undefined> {
  for (const { change, next } of moves) {
    try {
      await change.prepare(next);
    } catch (error) {
      return refused('not_ready', `models.${change.model}: ${messageOf(error)}`);
    }
  }
  return undefined;
}

/** That the routes are carried out. Without this record the next start carries them out. */
async function record(
  moves: readonly Move[],
  { book, routes, onInternalError }: ReconfigureOptions,
): Promise<void> {
  for (const { recorded } of moves) {
    const route = recorded && routes.read(recorded.model);
    if (route === undefined) continue;
    await book
      .append({ kind: 'route', route, why: 'command' })
      .catch((error: unknown) => onInternalError(`record the route of ${route.model}`, error));
  }
}
