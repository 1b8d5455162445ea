import { ServeError } from '../core/errors.ts';
import type { Life } from '../core/version.ts';
import type { Lane } from '../host/lane.ts';

/** What a lane holds: the candidate, and stable's copy to compare with. */
export type LaneTarget = {
  readonly model: string;
  readonly candidate: string;
  readonly twin: string;
  /** Names the builds of both. */
  readonly build: string;
};

export type LanesOptions = {
  /** Resolves when candidate and twin are ready; rejects with a ServeError if one cannot serve, or once it is given up. */
  readonly startLane: (target: LaneTarget, signal: AbortSignal) => Promise<Lane>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

type Load = {
  readonly target: LaneTarget;
  readonly done: Promise<void>;
  readonly cancel: AbortController;
};

type Held = { readonly target: LaneTarget; readonly lane: Lane };

/** The shadow lanes, one for each model that mirrors. Prepared before a route asks for one, closed after it does no more. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #held = new Map<string, Held>();
  readonly #closing = new Set<Promise<void>>();
  /** By model: the one that is being loaded. */
  readonly #loading = new Map<string, Load>();
  #isClosed = false;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** The lane that holds a candidate. */
  find(model: string, candidate: string): Lane | undefined {
    const held = this.#held.get(model);
    return held?.target.candidate === candidate ? held.lane : undefined;
  }

  /** Where the lane of a candidate stands; undefined where there is none. */
  life(model: string, candidate: string): Life | undefined {
    const held = this.find(model, candidate)?.life();
    const isLoading = this.#loading.get(model)?.target.candidate === candidate;
    return held ?? (isLoading ? LOADING : undefined);
  }

  /** Whether the lane is there that a model is to mirror to. */
  isPrepared(model: string, target: LaneTarget | undefined): boolean {
    const held = this.#held.get(model);
    return target === undefined || (held !== undefined && isSame(held.target, target));
  }

  /**
   * Starts the lane that a model is to mirror to, unless it is there or on its way. Rejects with a ServeError where it cannot be
   * started, or once the signal gives it up.
   */
  async prepare(
    model: string,
    target: LaneTarget | undefined,
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

  /** Closes the lane of a model that no longer mirrors. Resolves when it is closed; never rejects. */
  async settle(model: string, target: LaneTarget | undefined): Promise<void> {
    const held = this.#held.get(model);
    if (held === undefined || target !== undefined) return;
    this.#held.delete(model);
    await this.#close(held);
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
    await Promise.all(this.#closing);
  }

  /** One lane is loaded at a time: another target takes the place of the one before. */
  #begin(model: string, target: LaneTarget): Load {
    this.#loading.get(model)?.cancel.abort();
    const cancel = new AbortController();
    const done = this.#start(model, target, cancel.signal).finally(() => {
      if (this.#loading.get(model) === load) this.#loading.delete(model);
    });
    const load = { target, done, cancel };
    this.#loading.set(model, load);
    return load;
  }

  async #start(model: string, target: LaneTarget, signal: AbortSignal): Promise<void> {
    const lane = await this.#options.startLane(target, signal);
    const before = this.#held.get(model);
    if (signal.aborted) {
      void this.#close({ target, lane });
      throw givenUp(target);
    }
    this.#held.set(model, { target, lane });
    if (before !== undefined) void this.#close(before);
  }

  #close({ lane }: Held): Promise<void> {
    const closing = lane
      .close()
      .catch((error: unknown) => this.#options.onInternalError('close lane', error))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }
}

const LOADING: Life = { kind: 'loading' };

function isSame(a: LaneTarget, b: LaneTarget): boolean {
  return a.candidate === b.candidate && a.twin === b.twin && a.build === b.build;
}

function givenUp({ model }: LaneTarget): ServeError {
  return new ServeError('version_not_ready', `the shadow lane of ${model}: its load was given up`);
}
