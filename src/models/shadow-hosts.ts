import { ServeError } from '../core/errors.ts';
import type { AnchorSource } from '../core/route.ts';
import type { VersionState } from '../core/version.ts';
import type { ShadowHost } from '../host/shadow-host.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { SharedLoads } from './shared-loads.ts';

/** What a shadow host holds: the candidate, and stable's copy to compare with; and what runs beside it. */
export type ShadowTarget = {
  readonly model: string;
  readonly candidate: string;
  readonly twin: string;
  /** What runs beside them, if it can. */
  readonly anchor?: Pick<AnchorSource, 'version' | 'digest'> | undefined;
  /** Names the builds of all. */
  readonly build: string;
  /** What was read of the model, from which both are made. */
  readonly entry: CatalogEntry | undefined;
};

export type ShadowHostsOptions = {
  /** Resolves when candidate and twin are ready; rejects with a ServeError if one cannot serve, or once it is given up. */
  readonly startShadowHost: (target: ShadowTarget, signal: AbortSignal) => Promise<ShadowHost>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

type Held = { readonly target: ShadowTarget; readonly shadow: ShadowHost };

/** The shadow hosts, one for each model that mirrors. Prepared before a route asks for one, closed after it no longer does. */
export class ShadowHosts {
  readonly #options: ShadowHostsOptions;
  readonly #held = new Map<string, Held>();
  /** What is being closed, and of which model. */
  readonly #closing = new Map<Promise<void>, string>();
  readonly #loads: SharedLoads<ShadowTarget>;
  #isClosed = false;

  constructor(options: ShadowHostsOptions) {
    this.#options = options;
    this.#loads = new SharedLoads({
      keyOf: shadowKey,
      start: (target, signal) => this.#start(target, signal),
    });
  }

  /** The shadow host that holds a candidate. */
  find(model: string, candidate: string): ShadowHost | undefined {
    const held = this.#held.get(model);
    return held?.target.candidate === candidate ? held.shadow : undefined;
  }

  /** Where the shadow host of a candidate stands; undefined where there is none. */
  state(model: string, candidate: string): VersionState | undefined {
    const held = this.find(model, candidate)?.state();
    const isLoading = this.#loads
      .targets()
      .some((target) => target.model === model && target.candidate === candidate);
    return held ?? (isLoading ? LOADING : undefined);
  }

  /** Whether the shadow host is there that a model is to mirror to. */
  isPrepared(model: string, target: ShadowTarget | undefined): boolean {
    const held = this.#held.get(model);
    return target === undefined || (held !== undefined && isSame(held.target, target));
  }

  /**
   * Starts the shadow host that a model is to mirror to, unless it is there or on its way. Rejects with a ServeError where it
   * cannot be started, or once it is given up: by the signals of all that want it, or for another target.
   */
  async prepare(
    model: string,
    target: ShadowTarget | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    if (target === undefined || this.isPrepared(model, target)) return;
    if (this.#isClosed || signal?.aborted) throw givenUp(target);
    // One is loaded at a time: another target takes the place of the one before.
    this.#loads.giveUp((other) => other.model === model && !isSame(other, target));
    await this.#loads.load(target, signal);
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
    this.#loads.giveUp();
  }

  async close(): Promise<void> {
    this.abandonLoads();
    await this.#loads.ended();
    for (const held of this.#held.values()) void this.#close(held);
    this.#held.clear();
    await Promise.all(this.#closing.keys());
  }

  async #start(target: ShadowTarget, signal: AbortSignal): Promise<void> {
    const shadow = await this.#options.startShadowHost(target, signal);
    const before = this.#held.get(target.model);
    if (signal.aborted) {
      void this.#close({ target, shadow });
      throw givenUp(target);
    }
    this.#held.set(target.model, { target, shadow });
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

function shadowKey({ model, candidate, twin, anchor, build }: ShadowTarget): string {
  const beside = anchor === undefined ? [] : [anchor.version, anchor.digest];
  return [model, candidate, twin, build, ...beside].join('/');
}

function isSame(a: ShadowTarget, b: ShadowTarget): boolean {
  return shadowKey(a) === shadowKey(b);
}

function givenUp({ model }: ShadowTarget): ServeError {
  return new ServeError('version_not_ready', `the shadow host of ${model}: its load was given up`);
}
