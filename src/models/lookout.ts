/**
 * Scans the repository again: on requests about it, and periodically where it is polled. A look never moves traffic and never
 * changes what is served. It reads versions that are not in use again, so that new ones can be tried, and reports changes to the
 * files of those in use.
 */

import { within } from '../concurrency/within.ts';
import type { Config } from '../config/schema.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { RouteView } from '../core/route.ts';
import { isFolderName } from '../repository/folders.ts';
import type { Package } from '../repository/package.ts';
import type { RepositoryReader } from '../repository/readers.ts';
import type { Catalog } from './catalog.ts';
import { type CatalogEntry, catalogEntry } from './catalog-entry.ts';
import type { Deployments } from './deployments.ts';
import { logMove } from './first-choices.ts';
import type { ModelControl } from './model-control.ts';
import { namedVersions, versionsNamedBy } from './named-versions.ts';
import { factsOf, logNews, noticed } from './noticed.ts';
import type { RouteOwner } from './route-owner.ts';
import type { StartingModels } from './starting-models.ts';

export type LookoutOptions = {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly routes: Pick<RouteView, 'read'>;
  readonly deployments: Pick<Deployments, 'versions'>;
  readonly controller: Pick<RouteOwner, 'recordedVersions'>;
  readonly control: Pick<ModelControl, 'inTurn' | 'adopt'>;
  /** What is being read and loaded for the first time is not looked at. */
  readonly starting: StartingModels;
  readonly readers: RepositoryReader;
  readonly log: Log;
  /** By default 2, 20 and 5 s. */
  readonly waits?: Waits;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** How often one look begins again because a load came between. */
const LOOKS_MAX = 3;

/** How long callers wait for a look, which continues after that; milliseconds. */
export type Waits = {
  /** A list of models, before it answers with what is known. */
  readonly listMs: number;
  /** A command, for the files that it is about. */
  readonly commandMs: number;
  /** The next models, for one whose files are long or hang. */
  readonly modelMs: number;
};

const WAITS: Waits = { listMs: 2_000, commandMs: 20_000, modelMs: 5_000 };

type Look = {
  readonly model: string;
  /** Versions that a command names. */
  readonly names: readonly string[];
  /** A look of the poll: it believes what it has seen twice, and takes up what is to be served by itself. */
  readonly isPoll: boolean;
};

export class Lookout {
  readonly #options: LookoutOptions;
  readonly #waits: Waits;
  /** By model, then by version: as last read, so that gigabytes are read once for each time that they change. */
  readonly #seen = new Map<string, ReadonlyMap<string, Package>>();
  /** By model: what the last look of the poll found, until the next one confirms it. */
  readonly #pending = new Map<string, string>();
  /** Looks under way: at a model whose files hang, no further one is begun. */
  readonly #looking = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #everything: Promise<void> | undefined;
  #isStopped = false;
  /** Told once, however often it is met. */
  #fault: string | undefined;

  constructor(options: LookoutOptions) {
    this.#options = options;
    this.#waits = options.waits ?? WAITS;
  }

  /**
   * Looks by itself from here on, where the configuration asks for it: the time runs from the end of one look to the next. May be
   * called again, once the configuration asks for something else.
   */
  start(): void {
    const { repositoryPollMs: pollMs } = this.#options.config;
    clearTimeout(this.#timer);
    if (pollMs === undefined || this.#isStopped) return;
    this.#timer = setTimeout(() => {
      void this.#lookAtAll(true).finally(() => this.start());
    }, pollMs);
    this.#timer.unref();
  }

  /** Begins no look any more. One that hangs on a dead disk is left behind. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Looks at all models. Resolves with false where that takes too long: the look continues, and the catalogue is as before. */
  async lookAll(): Promise<boolean> {
    this.#everything ??= this.#lookAtAll(false).finally(() => {
      this.#everything = undefined;
    });
    return await within(this.#everything, this.#waits.listMs);
  }

  /**
   * Looks at one model for a command that names these versions. Rejects with ServeError `version_not_ready` where its files
   * take too long to read.
   */
  async lookAt(model: string, names: readonly string[]): Promise<void> {
    const { starting } = this.#options;
    let isWanted = true;
    const look = async (): Promise<void> => {
      await starting.ended(model);
      // One that is under way may have begun before the version was there.
      while (this.#looking.has(model)) await this.#looking.get(model);
      if (isWanted) await this.#lookSafely({ model, names, isPoll: false });
    };
    if (await within(look(), this.#waits.commandMs)) return;
    isWanted = false;
    const why = starting.whyStarting(model) ?? 'its files are still being read';
    throw new ServeError('version_not_ready', `${model}: ${why}; ask again in a moment`);
  }

  async #lookAtAll(isPoll: boolean): Promise<void> {
    const { config, catalog, readers, log } = this.#options;
    try {
      const { names, broken } = await readers.list(config.repository);
      const known = catalog.entries().map(({ model }) => model);
      for (const model of new Set([...names, ...broken.map(({ name }) => name), ...known]))
        if (this.#mayLookAt(model))
          await within(this.#lookSafely({ model, names: [], isPoll }), this.#waits.modelMs);
      this.#fault = undefined;
    } catch (error) {
      if (this.#isStopped) return;
      const fault = `repository: scan failed (${messageOf(error)})`;
      if (fault !== this.#fault) log({ level: 'error', message: fault });
      this.#fault = fault;
    }
  }

  #mayLookAt(model: string): boolean {
    const isStarting = this.#options.starting.whyStarting(model) !== undefined;
    return !(this.#isStopped || isStarting || this.#looking.has(model));
  }

  /** One model at fault keeps no other from being looked at. */
  async #lookSafely(look: Look): Promise<void> {
    const looking = this.#lookUntilLatest(look);
    this.#looking.set(look.model, looking);
    await looking;
    this.#looking.delete(look.model);
  }

  /** Never rejects. */
  async #lookUntilLatest(look: Look): Promise<void> {
    try {
      for (let tries = 0; tries < LOOKS_MAX; tries += 1) if (await this.#look(look)) return;
    } catch (error) {
      if (!this.#isStopped) this.#options.onInternalError(`look at ${look.model}`, error);
    }
  }

  /** Reads outside the model's turn, as a disk that hangs must hold nothing else. Resolves with false where a load came between. */
  async #look(look: Look): Promise<boolean> {
    const { catalog, control } = this.#options;
    const before = catalog.entry(look.model);
    if (before === undefined && !(await this.#isThere(look.model))) return true;
    const found = await this.#read(look.model, look.names);
    if (this.#isStopped || found === undefined) return true;
    let isLatest = true;
    await control.inTurn(look.model, async () => {
      isLatest = catalog.entry(look.model) === before;
      if (isLatest) await this.#notice(look, before, found);
    });
    return isLatest;
  }

  async #notice(
    { model, isPoll }: Look,
    before: CatalogEntry | undefined,
    found: CatalogEntry,
  ): Promise<void> {
    const { catalog, log } = this.#options;
    const entry = noticed({ before, found, atWork: this.#atWork(model, before) });
    if (entry === before) this.#pending.delete(model);
    if (entry === before || (isPoll && !this.#isConfirmed(found))) return;
    logNews(before, entry, log);
    if (entry.packages.size === 0 && !(await this.#isThere(model))) this.#forget(model);
    else if (isPoll && this.#isServedUnasked(entry)) await this.#takeUp(entry);
    else catalog.replace(entry);
  }

  async #isThere(model: string): Promise<boolean> {
    if (!isFolderName(model)) return false;
    const { config, readers } = this.#options;
    const { names, broken } = await readers.list(config.repository);
    return names.includes(model) || broken.some(({ name }) => name === model);
  }

  #forget(model: string): void {
    this.#options.catalog.remove(model);
    this.#seen.delete(model);
    this.#pending.delete(model);
  }

  /** Undefined: there is nothing to look at, as the model is one that a caller brought along. */
  async #read(model: string, names: readonly string[]): Promise<CatalogEntry | undefined> {
    const { config, catalog, readers } = this.#options;
    const { repository: root } = config;
    const before = catalog.entry(model);
    if (before !== undefined && before.root !== root) return undefined;
    const named = namedVersions(this.#options);
    const known = new Map([...(before?.packages ?? []), ...(this.#seen.get(model) ?? [])]);
    const scan = await readers.read({
      ...{ root, model, config: before?.config },
      named: [...named(model), ...names, ...(before?.packages.keys() ?? [])],
      known: [...known.values()],
    });
    this.#seen.set(model, new Map(scan.packages.map((each) => [each.version, each])));
    return catalogEntry(config, { ...scan, model, root, config: before?.config });
  }

  /** The versions in use. */
  #atWork(model: string, before: CatalogEntry | undefined): ReadonlySet<string> {
    const { routes, deployments, controller } = this.#options;
    if (before === undefined) return new Set();
    const route = routes.read(model);
    const running = deployments
      .versions(model)
      .filter(({ state }) => state.kind !== 'unloaded' && state.kind !== 'failed');
    return new Set([
      ...running.map(({ version }) => version),
      ...(route === undefined ? [] : versionsNamedBy(route)),
      ...(route === undefined ? [] : controller.recordedVersions(model)),
    ]);
  }

  /** Whether two looks one after the other found the same bytes: what is still being copied is not taken up. */
  #isConfirmed(found: CatalogEntry): boolean {
    const facts = factsOf(found);
    const isSame = this.#pending.get(found.model) === facts;
    if (isSame) this.#pending.delete(found.model);
    else this.#pending.set(found.model, facts);
    return isSame;
  }

  /** Where callers load models, what they did not load is only listed. */
  #isServedUnasked({ packages }: CatalogEntry): boolean {
    return packages.size > 0 && this.#options.config.server.modelControl === 'none';
  }

  async #takeUp(entry: CatalogEntry): Promise<void> {
    const { catalog, control, routes, log } = this.#options;
    const { model } = entry;
    const before = routes.read(model);
    try {
      const refusal = await control.adopt({ entry, isBrought: false });
      if (refusal !== undefined) throw new Error(refusal.why);
      logMove({ entry, before, after: routes.read(model) }, log);
    } catch (error) {
      catalog.replace(entry);
      const message = `not loaded (${messageOf(error)}); listed only`;
      log({ level: 'error', message, facts: { model } });
    }
  }
}
