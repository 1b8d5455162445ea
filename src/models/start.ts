/**
 * Takes up every model of the repository when the process begins, while the ports are open already: each is read and loaded on its
 * own, and starts no later because another hangs. Until a model has been taken up, where the ledger says it was, no traffic is
 * routed to it.
 */

import { join } from 'node:path';
import { within } from '../concurrency/within.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { RouteView } from '../core/route.ts';
import { durationText } from '../core/text.ts';
import type { Folders } from '../repository/folders.ts';
import type { ModelReader } from '../repository/reader.ts';
import type { BytesRead } from '../repository/reading-progress.ts';
import type { Scan } from '../repository/scan.ts';
import type { Catalog } from './catalog.ts';
import { type LedgerLifetime, logChoices } from './first-choices.ts';
import { initialRoute } from './initial-routes.ts';
import { namedVersions } from './named-versions.ts';
import { namesNotFound, recordedNotFound } from './names-not-found.ts';
import { overruledRoutes } from './overruled-routes.ts';
import { brokenEntry, logProblems, scannedEntry } from './read-catalog.ts';
import type { RouteOwner } from './route-owner.ts';
import type { StartingModels } from './starting-models.ts';

export type StartOptions = LedgerLifetime & {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly routes: RouteView;
  readonly controller: Pick<RouteOwner, 'resume' | 'recordedVersions'>;
  readonly starting: StartingModels;
  /** Resolves once the ledger has been read, where that takes long; nothing is begun before. By default it has been read. */
  readonly ledgerRead?: Promise<void> | undefined;
  /** Something that reads models, one after the other. */
  readonly openReader: () => ModelReader;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether a model whose route leads to a version answers. */
  readonly isReady: (model: string) => boolean;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** Models that are read at one time: reading is bound by the disk, and each takes its size in memory. */
const READERS = 2;

/** How long the next model waits for one whose files are long or hang; milliseconds. */
const READER_MS = 5_000;

/** Between two lines of the log that say what the start still waits for; milliseconds. */
const PROGRESS_MS = 10_000;

const WAITING = 'its package waits to be read';

const READING = 'its package is being read';

/** The configuration's route counts only where the ledger has none: without it another version than the last might answer. */
const READING_LEDGER = 'the ledger, where its route stands, is still being read';

export class Start {
  readonly #options: StartOptions;
  readonly #loads: Promise<void>[] = [];
  readonly #readers = new Set<ModelReader>();
  readonly #folders: Folders;
  #isStopped = false;

  /** From here on the models start, though nothing is read yet: no request may find a model missing. */
  constructor(folders: Folders, options: StartOptions) {
    this.#options = options;
    this.#folders = folders;
    const { config, catalog, starting, log } = options;
    for (const broken of folders.broken) {
      catalog.replace(brokenEntry(config, broken));
      const where = `${config.repository}/${broken.name}`;
      logProblems({ problems: [{ where, message: broken.reason }], notes: [] }, log);
    }
    const why = options.ledgerRead === undefined ? WAITING : READING_LEDGER;
    for (const model of folders.names) starting.become(model, why);
  }

  /** Resolves when every model has been taken up or cannot be. Rejects only where the ledger cannot be read. */
  async run(): Promise<void> {
    const { clock, log } = this.#options;
    const sinceMs = clock.monotonicMs();
    const soFar = (): string => durationText(clock.monotonicMs() - sinceMs);
    const progress = setInterval(() => this.#logProgress(soFar()), PROGRESS_MS);
    progress.unref();
    try {
      await this.#ledgerRead();
      await this.#takeUpAll();
      if (this.#isStopped) return;
      const { names } = this.#folders;
      const ready = names.filter((model) => this.#options.isReady(model)).length;
      const message = `started after ${soFar()}: ${ready} of ${names.length} models ready`;
      log({ level: ready < names.length ? 'warn' : 'info', message });
    } finally {
      clearInterval(progress);
    }
  }

  /** Begins with no further model, ends what is being read, and resolves once what loads is loaded or given up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const reader of [...this.#readers]) this.#close(reader);
    await Promise.all(this.#loads);
  }

  async #ledgerRead(): Promise<void> {
    const { ledgerRead, starting } = this.#options;
    if (ledgerRead === undefined) return;
    await ledgerRead;
    for (const model of this.#folders.names) starting.become(model, WAITING);
  }

  async #takeUpAll(): Promise<void> {
    try {
      await this.#readAll();
      await Promise.all(this.#loads);
      if (!this.#isStopped) await this.#logFindings();
    } catch (error) {
      this.#options.onInternalError('start', error);
    }
  }

  async #readAll(): Promise<void> {
    const left = [...this.#folders.names];
    const reads: Promise<void>[] = [];
    const readNext = async (): Promise<void> => {
      let reader = this.#openReader();
      for (let model = left.shift(); model !== undefined; model = left.shift()) {
        if (this.#isStopped) break;
        const reading = this.#read(model, reader);
        reads.push(reading);
        if (await within(reading, READER_MS)) continue;
        // It stays with this model, and the next ones get another.
        const busy = reader;
        void reading.finally(() => this.#close(busy));
        reader = this.#openReader();
      }
      this.#close(reader);
    };
    await Promise.all(Array.from({ length: READERS }, readNext));
    await Promise.all(reads);
  }

  #openReader(): ModelReader {
    const reader = this.#options.openReader();
    this.#readers.add(reader);
    return reader;
  }

  #close(reader: ModelReader): void {
    this.#readers.delete(reader);
    reader.close();
  }

  /** Reads one model and begins to load it. Never rejects. */
  async #read(model: string, reader: ModelReader): Promise<void> {
    const { catalog, starting } = this.#options;
    starting.become(model, READING);
    const scan = await this.#scan(model, reader);
    if (this.#isStopped) return;
    const entry = scannedEntry(this.#options, model, scan);
    catalog.replace(entry);
    if (entry.packages.size > 0) this.#loads.push(this.#load(model));
    else starting.end(model);
  }

  /** What cannot be read to its end is a problem of the model. */
  async #scan(model: string, reader: ModelReader): Promise<Scan> {
    const { config, starting } = this.#options;
    const { repository: root } = config;
    const named = namedVersions(this.#options)(model);
    try {
      return await reader.read({ root, model, named }, (read) =>
        starting.become(model, READING + progressText(read)),
      );
    } catch (error) {
      const problem = { where: join(root, model), message: messageOf(error) };
      return { packages: [], problems: [problem], notes: [], aside: [] };
    }
  }

  async #load(model: string): Promise<void> {
    const { catalog, controller, starting } = this.#options;
    const entry = catalog.entry(model);
    starting.become(model, 'its versions are loading');
    if (entry !== undefined) await controller.resume(initialRoute(entry));
    starting.end(model);
  }

  #logProgress(soFar: string): void {
    const { starting, log } = this.#options;
    const left = starting.list().map(({ model, why }) => `${model} (${why})`);
    if (left.length === 0) return;
    log({ level: 'info', message: `still starting after ${soFar}: ${left.join(', ')}` });
  }

  /** Findings that need the whole catalogue and the ledger to be read. */
  async #logFindings(): Promise<void> {
    const { config, catalog, routes, ledgerLifetime, log } = this.#options;
    if (catalog.entries().every(({ packages }) => packages.size === 0)) {
      const message = `no models: expected ${config.repository}/<model>/<version>/model.onnx`;
      log({ level: 'warn', message });
    }
    for (const message of namesNotFound(config, catalog)) log({ level: 'error', message });
    await logChoices({ config, catalog, log, ledgerLifetime });
    for (const message of overruledRoutes(catalog, routes)) log({ level: 'warn', message });
    for (const message of recordedNotFound(config, catalog, routes.list()))
      log({ level: 'error', message });
  }
}

/** Nothing before it is known what there is to read. */
function progressText({ bytes, total }: BytesRead): string {
  if (total === 0) return '';
  return `, ${megabytes(bytes)} of ${megabytes(total)} MB`;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}
