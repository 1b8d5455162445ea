import { ServeError } from '../core/errors.ts';
import type { VersionState } from '../core/version.ts';
import type { ShadowHost } from '../host/shadow-host.ts';
import type { CatalogEntry } from './catalog-entry.ts';

/** What a shadow host holds: the candidate, and stable's copy to compare with. */
export type ShadowTarget = {
  readonly model: string;
  readonly candidate: string;
  readonly twin: string;
  /** Names the builds of both. */
  readonly build: string;
  /** What was read of the model, from which both are made. */
  readonly entry: CatalogEntry | undefined;
};

export type ShadowHostsOptions = {
  /** Resolves when candidate and twin are ready; rejects with a ServeError if one cannot serve, or once it is given up. */
  readonly startShadowHost: (target: ShadowTarget, signal: AbortSignal) => Promise<ShadowHost>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

type Load = {
  readonly target: ShadowTarget;
  readonly done: Promise<void>;
  readonly cancel: AbortController;
};

type Held = { readonly target: ShadowTarget; readonly shadow: ShadowHost };

/** The shadow hosts, one for each model that mirrors. Prepared before a route asks for one, closed after it no longer does. */
export class ShadowHosts {
  readonly #options: ShadowHostsOptions;
  readonly #held = new Map<string, Held>();
  /** What is being closed, and of which model. */
  readonly #closing = new Map<Promise<void>, string>();
  /** By model: the one that is being loaded. */
  readonly #loading = new Map<string, Load>();
  #isClosed = false;

  constructor(options: ShadowHostsOptions) {
    this.#options = options;
  }

  /** The shadow host that holds a candidate. */
  find(model: string, candidate: string): ShadowHost | undefined {
    const held = this.#held.get(model);
    return held?.target.candidate === candidate ? held.shadow : undefined;
  }

  /** Where the shadow host of a candidate stands; undefined where there is none. */
  state(model: string, candidate: string): VersionState | undefined {
    const held = this.find(model, candidate)?.state();
    const isLoading = this.#loading.get(model)?.target.candidate === candidate;
    return held ?? (isLoading ? LOADING : undefined);
  }

  /** Whether the shadow host is there that a model is to mirror to. */
  isPrepared(model: string, target: ShadowTarget | undefined): boolean {
    const held = this.#held.get(model);
    return target === undefined || (held !== undefined && isSame(held.target, target));
  }

  /**
   * Starts the shadow host that a model is to mirror to, unless it is there or on its way. Rejects with a ServeError where it
   * cannot be started, or once the signal gives it up.
   */
  async prepare(
    model: string,
    target: ShadowTarget | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    if (target === undefined || this.isPrepared(model, target)) return;
    if (this.#isClosed || signal?.aborted) throw givenUp(target);
    const running = this.#loading.get(model);
    const load = running && isSame(running.target, target) ? running : this.#begin(model, target);
    const giveUp = (): void => load.cancel.abort();
    signal?.addEventListener('abort', giveUp, { once: true });
    await load.done.finally(() => signal?.removeEventListener('abort', giveUp));
  }

  /** Closes the shadow host of a model that no longer mirrors. Resolves when it is closed; never rejects. */
  async reconcile(model: string, target: ShadowTarget | undefined): Promise<void> {
    if (target !== undefined) return;
    const held = this.#held.get(model);
    this.#held.delete(model);
    if (held !== undefined) void this.#close(held);
    await Promise.all([...this.#closing].flatMap(([done, of]) => (of === model ? done : [])));
  }

  /** Gives up what is being loaded, and loads nothing any more. */
  abandonLoads(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#loading.values()) cancel.abort();
  }

  async close(): Promise<void> {
    this.abandonLoads();
    await Promise.allSettled([...this.#loading.values()].map(({ done }) => done));
    for (const held of this.#held.values()) void this.#close(held);
    this.#held.clear();
    await Promise.all(this.#closing.keys());
  }

  /** One is loaded at a time: another target takes the place of the one before. */
  #begin(model: string, target: ShadowTarget): Load {
    this.#loading.get(model)?.cancel.abort();
    const cancel = new AbortController();
    const done = this.#start(model, target, cancel.signal).finally(() => {
      if (this.#loading.get(model) === load) this.#loading.delete(model);
    });
    const load = { target, done, cancel };
    this.#loading.set(model, load);
    return load;
  }

  async #start(model: string, target: ShadowTarget, signal: AbortSignal): Promise<void> {
    const shadow = await this.#options.startShadowHost(target, signal);
    const before = this.#held.get(model);
    if (signal.aborted) {
      void this.#close({ target, shadow });
      throw givenUp(target);
    }
    this.#held.set(model, { target, shadow });
    if (before !== undefined) void this.#close(before);
  }

  #close({ target, shadow }: Held): Promise<void> {
    const closing = shadow
      .close()
      .catch((error: unknown) => this.#options.onInternalError('close shadow host', error))
      .finally(() => this.#closing.delete(closing));
    this.#closing.set(closing, target.model);
    return closing;
  }
}

const LOADING: VersionState = { kind: 'loading' };

function isSame(a: ShadowTarget, b: ShadowTarget): boolean {
  return a.candidate === b.candidate && a.twin === b.twin && a.build === b.build;
}

function givenUp({ model }: ShadowTarget): ServeError {
  return new ServeError('version_not_ready', `the shadow host of ${model}: its load was given up`);
}
