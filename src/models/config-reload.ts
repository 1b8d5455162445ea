/**
 * Reads the configuration again while the gateway runs. All that can be applied is, or nothing; what needs a restart stays as it
 * is and is named. One reload at a time.
 */

import { SerialQueue } from '../concurrency/serial-queue.ts';
import { within } from '../concurrency/within.ts';
import { configChanges, type KeyChange, withoutRestarts } from '../config/config-changes.ts';
import { ConfigError } from '../config/config-error.ts';
import type { ConfigFile } from '../config/config-file.ts';
import type { ConfigSource } from '../config/load.ts';
import type { RunningConfig } from '../config/running-config.ts';
import type { Config } from '../config/schema.ts';
import type { ConfigChange } from '../core/config-change.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Refusal } from '../core/refusal.ts';
import type { CommandBy } from '../core/rollout.ts';
import type { Catalog } from './catalog.ts';
import { type CatalogEntry, withConfig } from './catalog-entry.ts';
import type { Deployments } from './deployments.ts';
import type { Lookout } from './lookout.ts';
import type { ModelControl } from './model-control.ts';
import { type ModelReload, modelReconfiguration } from './model-reload.ts';
import { versionsNamedIn } from './named-versions.ts';
import type { RouteOwner } from './route-owner.ts';
import type { StartingModels } from './starting-models.ts';

/** The file that the configuration in force came from. */
export type ReloadableFile = { readonly file: ConfigFile; readonly source: ConfigSource };

export type ConfigReloadOptions = {
  /** Undefined: an embedded gateway has no file. */
  readonly configFile?: ReloadableFile | undefined;
  readonly config: RunningConfig;
  readonly catalog: Catalog;
  readonly controller: Pick<RouteOwner, 'reconfigure' | 'route'>;
  readonly deployments: Pick<Deployments, 'change'>;
  readonly repository: Pick<ModelControl, 'inTurns' | 'reload'>;
  readonly lookout: Pick<Lookout, 'lookAt' | 'start'>;
  readonly starting: Pick<StartingModels, 'ended' | 'whyStarting'>;
  /** Called once another configuration is in force; must not throw. */
  readonly onReplaced?: (config: Config) => void;
  /** Called after each reload with whether it succeeded, but not where it only says what it would do; must not throw. */
  readonly onReload?: (isSuccess: boolean) => void;
  /**
   * Reads again what lies beside the configuration, certificates for instance, after a file that was right; resolves with what
   * could not be used.
   */
  readonly reloadOthers?: () => Promise<readonly string[]>;
  readonly log: Log;
};

export type ReloadRequest = {
  /** Who asks: `SIGHUP` or `admin`. */
  readonly actor: string;
  /** Absent where a signal asks. */
  readonly by?: CommandBy;
  readonly reason: string;
  /** Says what a reload would do, and does not do it. */
  readonly isDryRun: boolean;
};

export type ReloadResult =
  | {
      readonly kind: 'done';
      readonly dryRun: boolean;
      /** By key; empty: the file says what runs. */
      readonly changes: readonly ConfigChange[];
      /** Further results: newly configured models that cannot be served, certificates that cannot be used. */
      readonly notes: readonly string[];
    }
  | Refusal;

/** Reloads at work or waiting: each asks for the same file, so that a long line of them is of no use. */
const WAITING_MAX = 8;

/** How long a reload waits for models that it changes and that are starting. */
const START_MS_MAX = 20_000;

/** Changes that are listed one by one on the ledger and in the log. */
const LISTED_MAX = 100;

export class ConfigReload {
  readonly #options: ConfigReloadOptions;
  readonly #queue = new SerialQueue();
  #source: ConfigSource | undefined;
  #waiting = 0;

  constructor(options: ConfigReloadOptions) {
    this.#options = options;
    this.#source = options.configFile?.source;
  }

  /**
   * Rejects with ServeError: `invalid_input` for a file that cannot be read or is not right, `conflict` or
   * `version_not_ready` where models are still being loaded, `overloaded`. Nothing has changed then, as with a refusal.
   */
  readonly reload = async (request: ReloadRequest): Promise<ReloadResult> => {
    if (this.#waiting >= WAITING_MAX)
      throw new ServeError('overloaded', `at most ${WAITING_MAX} reloads may wait`);
    this.#waiting += 1;
    try {
      return await this.#queue.run(() => this.#reloadAndTell(request));
    } finally {
      this.#waiting -= 1;
    }
  };

  /** Resolves once what was begun has ended. */
  async drained(): Promise<void> {
    await this.#queue.drained();
  }

  async #reloadAndTell(request: ReloadRequest): Promise<ReloadResult> {
    const { log, onReload } = this.#options;
    const { actor, isDryRun } = request;
    const ended = (isSuccess: boolean): void => {
      if (!isDryRun) onReload?.(isSuccess);
    };
    try {
      const result = await this.#reload(request);
      if (result.kind === 'refused') throw new Refused(result);
      if (!isDryRun) logReload(result, actor, log);
      ended(true);
      const others = isDryRun ? [] : await this.#options.reloadOthers?.();
      return { ...result, notes: [...result.notes, ...(others ?? [])] };
    } catch (error) {
      const message = `configuration not reloaded (${actor}), nothing changed: ${messageOf(error)}`;
      if (!isDryRun) log({ level: 'error', message });
      ended(false);
      if (error instanceof Refused) return error.refusal;
      if (error instanceof ConfigError)
        throw new ServeError('invalid_input', error.message, { cause: error });
      throw error;
    }
  }

  async #reload(request: ReloadRequest): Promise<ReloadResult> {
    const { configFile } = this.#options;
    if (configFile === undefined || this.#source === undefined)
      throw new ServeError('conflict', 'this gateway was started without a configuration file');
    const written = await configFile.file.read();
    const changes = configChanges(this.#source, written);
    const source = withoutRestarts(written, changes);
    const config = configFile.file.configOf(source);
    const applied = changes.filter(({ effect }) => effect === 'applied');
    const result = {
      kind: 'done',
      dryRun: request.isDryRun,
      changes: changes.map(({ key, from, to, effect }) => ({ key, from, to, effect })),
    } as const;
    if (applied.length === 0) return { ...result, notes: [] };
    const models = modelsOf(applied);
    await this.#waitForStart(models);
    const unserved = models.filter((model) => this.#isToBeServed(model, config));
    const refusal = await this.#apply({ request, source, config, applied, models });
    if (refusal !== undefined) return refusal;
    return { ...result, notes: request.isDryRun ? [] : await this.#takeUp(unserved) };
  }

  async #waitForStart(models: readonly string[]): Promise<void> {
    const { starting } = this.#options;
    if (await within(Promise.all(models.map((model) => starting.ended(model))), START_MS_MAX))
      return;
    const why = models.flatMap((model) => {
      const what = starting.whyStarting(model);
      return what === undefined ? [] : [`${model} is starting (${what})`];
    });
    throw new ServeError('version_not_ready', `${why.join(', ')}: ask again once it is ready`);
  }

  async #apply(next: Next): Promise<Refusal | undefined> {
    const { catalog, controller, deployments, repository, lookout } = this.#options;
    const { request, source, config, applied, models } = next;
    const before = this.#options.config;
    for (const model of models) await this.#lookFor(model, config);
    return await repository.inTurns(models, async () => {
      const reloads = models.flatMap((model) => reloadOf(catalog.entry(model), config) ?? []);
      const served = reloads.filter(({ before: { packages } }) => packages.size > 0);
      const options = { deployments, repository: before.repository };
      const refusal = await controller.reconfigure({
        command: commandOf(request, applied),
        models: served.map((reload) => modelReconfiguration(reload, options)),
        isDryRun: request.isDryRun,
        commit: () => {
          before.replace(config);
          this.#source = source;
          for (const { after } of reloads) catalog.replace(after);
          this.#options.onReplaced?.(config);
        },
      });
      if (refusal === undefined && !request.isDryRun) lookout.start();
      return refusal;
    });
  }

  /** A folder that the changed section names may have been left aside until now. */
  async #lookFor(model: string, config: Config): Promise<void> {
    const known = this.#options.catalog.entry(model)?.packages;
    const named = [...versionsNamedIn(config, model)];
    if (named.some((version) => !known?.has(version)))
      await this.#options.lookout.lookAt(model, named);
  }

  /** A model that is named for the first time, or that could not be read. One that a caller unloaded stays so. */
  #isToBeServed(model: string, next: Config): boolean {
    const { catalog, config, controller } = this.#options;
    if (!Object.hasOwn(next.models, model) || controller.route(model) !== undefined) return false;
    const isUnread = (catalog.entry(model)?.packages.size ?? 0) === 0;
    return isUnread || !Object.hasOwn(config.models, model);
  }

  /** As a start does: a model that cannot be served takes no other away. */
  async #takeUp(models: readonly string[]): Promise<readonly string[]> {
    const { repository, log } = this.#options;
    const notes: string[] = [];
    for (const model of models) {
      try {
        await repository.reload(model);
      } catch (error) {
        const note = `models.${model}: not served: ${messageOf(error)}`;
        log({ level: 'error', message: note });
        notes.push(note);
      }
    }
    return notes;
  }
}

/** A reload that can be read and is about to be applied. */
type Next = {
  readonly request: ReloadRequest;
  readonly source: ConfigSource;
  readonly config: Config;
  readonly applied: readonly KeyChange[];
  readonly models: readonly string[];
};

class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.why);
    this.refusal = refusal;
  }
}

function modelsOf(changes: readonly KeyChange[]): readonly string[] {
  return [
    ...new Set(
      changes.flatMap(({ path: [top, model] }) => (top === 'models' ? (model ?? []) : [])),
    ),
  ];
}

/** @throws ServeError `invalid_input` where the model's own files or the machine are against what the file says. */
function reloadOf(before: CatalogEntry | undefined, config: Config): ModelReload | undefined {
  try {
    return before && { before, after: withConfig(config, before) };
  } catch (cause) {
    const message = `models.${before?.model}: ${messageOf(cause)}`;
    throw new ServeError('invalid_input', message, { cause });
  }
}

function commandOf({ actor, by, reason }: ReloadRequest, applied: readonly KeyChange[]) {
  const changes = applied
    .slice(0, LISTED_MAX)
    .map(({ key, from, to, effect }) => ({ key, from, to, effect }));
  const changesOmitted = applied.length - changes.length;
  return { actor, ...(by && { by }), reason, changes, changesOmitted };
}

function logReload(
  { changes }: Extract<ReloadResult, { kind: 'done' }>,
  actor: string,
  log: Log,
): void {
  const waiting = changes.filter(({ effect }) => effect === 'restart');
  const count = `${changes.length - waiting.length} applied, waiting for a restart: ${waiting.length}`;
  const what = changes.length === 0 ? 'nothing has changed' : count;
  log({ level: 'info', message: `configuration reloaded (${actor}): ${what}` });
  for (const { key, from, to, effect } of changes.slice(0, LISTED_MAX)) {
    const isApplied = effect === 'applied';
    const how = isApplied ? 'applied' : 'needs a restart';
    log({ level: isApplied ? 'info' : 'warn', message: `${key}: ${from} -> ${to} (${how})` });
  }
}
