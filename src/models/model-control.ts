/**
 * Models as callers may list, load and unload them. A load reads the model's folder, loads the versions that its route leads
 * to while the present ones serve, and only then routes traffic there: there is no gap, and a load that fails changes nothing.
 * What was loaded or unloaded by a call stays so until the next one or until this process ends: a new process begins with all
 * that the repository holds.
 */

import { SerialQueues } from '../concurrency/serial-queues.ts';
import type { Config } from '../config/schema.ts';
import { causeMessageOf, messageOf, ServeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { LoadRequest, ModelRepository, RepositoryEntry } from '../core/model-repository.ts';
import type { Refusal } from '../core/refusal.ts';
import type { RouteView } from '../core/route.ts';
import { compareVersions, type VersionState } from '../core/version.ts';
import { isFolderName } from '../repository/folders.ts';
import type { RepositoryReader } from '../repository/readers.ts';
import type { Catalog } from './catalog.ts';
import { type CatalogEntry, catalogEntry, changedVersions } from './catalog-entry.ts';
import type { Deployments } from './deployments.ts';
import { logMove } from './first-choices.ts';
import { basisOf, initialRoute } from './initial-routes.ts';
import { namedVersions } from './named-versions.ts';
import type { OverrideFiles } from './override-files.ts';
import { logProblems } from './read-catalog.ts';
import type { RouteOwner } from './route-owner.ts';
import type { StartingModels } from './starting-models.ts';

export type ModelControlOptions = {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly routes: Pick<RouteView, 'read'>;
  readonly deployments: Pick<Deployments, 'change' | 'remove' | 'versions'>;
  readonly controller: Pick<RouteOwner, 'adopt' | 'forget' | 'recordedVersions'>;
  /** Forgets what other versions of the model have done. */
  readonly retainStatistics: (model: string, versions: ReadonlySet<string>) => void;
  /** Models that start are listed as such, and loaded or unloaded once they have started. */
  readonly starting: StartingModels;
  /** Closed by its maker, once nothing runs from it any more. */
  readonly overrides: OverrideFiles;
  readonly readers: Pick<RepositoryReader, 'read'>;
  readonly log: Log;
};

/** Loads and unloads at work or waiting, over all models: each may hold a package in memory. */
const ASKED_MAX = 32;

/** How long what concerns several models waits for loads that are under way. */
const WAIT_MS_MAX = 20_000;

/** A model as it was read, and whether its packages are a caller's own. */
type Read = { readonly entry: CatalogEntry; readonly isBrought: boolean };

const FROM_REPOSITORY: LoadRequest = { config: undefined, files: new Map() };

export class ModelControl implements ModelRepository {
  readonly #options: ModelControlOptions;
  /** Loads and unloads, by model. */
  readonly #queues = new SerialQueues();
  readonly #loading = new Set<string>();
  /** By model: why the last load failed. */
  readonly #faults = new Map<string, string>();
  #waiting = 0;
  #isClosed = false;

  constructor(options: ModelControlOptions) {
    this.#options = options;
  }

  readonly index = async (): Promise<readonly RepositoryEntry[]> => {
    const { catalog, starting } = this.#options;
    const unread = starting.list().filter(({ model }) => catalog.entry(model) === undefined);
    return [
      ...catalog.entries().flatMap((entry) => this.#listed(entry)),
      ...unread.map(({ model }) => ({ model, version: undefined, state: LOADING })),
    ];
  };

  readonly load = async (model: string, request: LoadRequest): Promise<void> => {
    this.#checkAllowed();
    await this.#loadInTurn(model, request);
  };

  /** As `load` from the repository, for the operator: allowed regardless of `server.modelControl`. */
  readonly reload = async (model: string): Promise<void> => {
    this.#checkOpen();
    await this.#loadInTurn(model, FROM_REPOSITORY);
  };

  async #loadInTurn(model: string, request: LoadRequest): Promise<void> {
    if (!isFolderName(model)) {
      throw loadFailed(model, 'failed to poll from model repository: no folder can have this name');
    }
    await this.#options.starting.ended(model);
    await this.#asked(model, async () => {
      this.#loading.add(model);
      await this.#load(model, request).finally(() => this.#loading.delete(model));
    });
  }

  readonly unload = async (model: string): Promise<void> => {
    this.#checkAllowed();
    await this.#options.starting.ended(model);
    await this.#asked(model, () => this.#unload(model));
  };

  /** Takes nothing new and resolves once what was begun has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#queues.drained();
  }

  // -- loading ---------------------------------------------------------------------------------------------------------

  async #load(model: string, request: LoadRequest): Promise<void> {
    const { config, catalog, overrides } = this.#options;
    const { files } = request;
    const own = files.size > 0 ? await overrides.write(model, files) : undefined;
    let spare = own;
    try {
      const entry = await this.#read(own ?? config.repository, model, request);
      const isBrought = own !== undefined;
      const before = this.#options.routes.read(model);
      const refusal = await this.adopt({ entry, isBrought }, () => {
        // What runs from the directory before has been loaded from it and is about to end.
        spare = overrides.use(model, own);
      });
      if (refusal !== undefined) throw new ServeError('conflict', refused('load', model, refusal));
      logMove({ entry, before, after: this.#options.routes.read(model) }, this.#options.log);
      this.#faults.delete(model);
    } catch (error) {
      // A model that the repository does not know has no line that could say so.
      if (catalog.entry(model) !== undefined) this.#faults.set(model, messageOf(error));
      throw error;
    } finally {
      await overrides.discard(spare);
    }
  }

  /** @throws ServeError `load_failed` where no version can be served, or one that could be before cannot be any more. */
  async #read(root: string, model: string, { config: json }: LoadRequest): Promise<CatalogEntry> {
    const { config, catalog, log } = this.#options;
    const named = namedVersions(this.#options);
    const scan = await this.#options.readers
      .read({ root, model, named: [...named(model)], config: json })
      .catch((cause: unknown) => {
        throw loadFailed(model, messageOf(cause), cause);
      });
    logProblems(scan, log);
    const entry = catalogEntry(config, { ...scan, model, root, config: json });
    const before = catalog.entry(model);
    const isBroken = entry.problems.some(
      ({ version }) => version === undefined || before?.packages.has(version),
    );
    if (isBroken || entry.packages.size === 0) throw loadFailed(model, reasonsOf(entry));
    return entry;
  }

  /**
   * Loads the read versions while the present ones serve, then applies the entry. Resolves with a refusal if something prevents
   * it, and rejects with ServeError `load_failed`. To be called in the model's turn.
   */
  async adopt({ entry, isBrought }: Read, onTaken = (): void => {}): Promise<Refusal | undefined> {
    const { model, packages } = entry;
    const { catalog, deployments, controller, retainStatistics } = this.#options;
    const before = catalog.entry(model);
    const change = deployments.change(model, { entry, isStrict: true });
    return await controller.adopt({
      configured: initialRoute(entry),
      basis: basisOf(entry),
      isBrought,
      versions: new Set(packages.keys()),
      changed: changedVersions(before, entry),
      ...change,
      prepare: async (route) => {
        await change.prepare(route).catch((error: unknown) => {
          throw loadFailed(model, causeMessageOf(error), error);
        });
      },
      commit: () => {
        onTaken();
        catalog.replace(entry);
        retainStatistics(model, new Set(packages.keys()));
      },
    });
  }

  // -- unloading -------------------------------------------------------------------------------------------------------

  async #unload(model: string): Promise<void> {
    const { catalog, controller, deployments } = this.#options;
    if (catalog.entry(model) === undefined) {
      throw new ServeError('model_not_found', `failed to unload '${model}', model is not found`);
    }
    const refusal = await controller.forget(model);
    if (refusal !== undefined) throw new ServeError('conflict', refused('unload', model, refusal));
    this.#faults.delete(model);
    await deployments.remove(model);
    await this.#options.overrides.discard(this.#options.overrides.use(model, undefined));
  }

  // -- listing ---------------------------------------------------------------------------------------------------------

  #listed(entry: CatalogEntry): readonly RepositoryEntry[] {
    const { model, problems } = entry;
    const lines = [
      ...this.#options.deployments
        .versions(model)
        .map(({ version, state }) => ({ version, state: this.#stateOf(model, state) })),
      ...problems.map(({ version, reason }) => ({ version, state: failed(reason) })),
    ];
    return lines
      .sort((a, b) => compareVersions(a.version ?? '', b.version ?? ''))
      .map((line) => ({ model, ...line }));
  }

  #stateOf(model: string, state: VersionState): VersionState {
    if (state.kind !== 'unloaded') return state;
    if (this.#loading.has(model)) return LOADING;
    const fault = this.#faults.get(model);
    return fault === undefined ? state : failed(fault);
  }

  // -- one at a time ---------------------------------------------------------------------------------------------------

  #checkAllowed(): void {
    if (this.#options.config.server.modelControl !== 'explicit') {
      throw new ServeError(
        'not_allowed',
        'explicit model load / unload is not allowed: expected server.modelControl explicit, found none',
      );
    }
    this.#checkOpen();
  }

  #checkOpen(): void {
    if (this.#isClosed) {
      throw new ServeError('version_not_ready', 'Server is stopping: unavailable');
    }
  }

  /** Does something to a model once what was begun before has ended. No limit: a look, of which each model has one at a time. */
  async inTurn(model: string, work: () => Promise<void>): Promise<void> {
    await this.#queues.run(model, work);
  }

  /** As `inTurn`, for a caller. Rejects with ServeError `overloaded` where too many wait. */
  async #asked(model: string, work: () => Promise<void>): Promise<void> {
    if (this.#waiting >= ASKED_MAX) {
      throw new ServeError('overloaded', `at most ${ASKED_MAX} loads and unloads may wait`);
    }
    this.#waiting += 1;
    try {
      await this.inTurn(model, work);
    } finally {
      this.#waiting -= 1;
    }
  }

  /**
   * Does something to several models together. Rejects with ServeError `conflict`, with nothing begun, where one of them is still
   * being loaded after 20 s.
   */
  async inTurns<Result>(models: readonly string[], work: () => Promise<Result>): Promise<Result> {
    this.#checkOpen();
    const late = (): ServeError => {
      const busy = models.filter((model) => this.#loading.has(model));
      return new ServeError(
        'conflict',
        `still being loaded: ${busy.join(', ') || models.join(', ')}`,
      );
    };
    return await this.#queues.holdAll(models, { waitMsMax: WAIT_MS_MAX, late }, work);
  }
}

const LOADING: VersionState = { kind: 'loading' };

function failed(reason: string): VersionState {
  return { kind: 'failed', reason };
}

function loadFailed(model: string, reason: string, cause?: unknown): ServeError {
  return new ServeError('load_failed', `failed to load '${model}', ${reason}`, { cause });
}

function refused(what: 'load' | 'unload', model: string, { why }: Refusal): string {
  return `failed to ${what} '${model}', ${why}`;
}

function reasonsOf({ problems }: CatalogEntry): string {
  const whole = problems.find(({ version }) => version === undefined);
  if (whole !== undefined) return `failed to poll from model repository: ${whole.reason}`;
  if (problems.length === 0) {
    return 'failed to poll from model repository: expected a folder for each version, found none';
  }
  return problems.map(({ version, reason }) => `version ${version}: ${reason}`).join('; ');
}
