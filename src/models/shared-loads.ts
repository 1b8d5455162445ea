export type SharedLoadsOptions<Target> = {
  /** The same for targets that one load serves. */
  readonly keyOf: (target: Target) => string;
  /** Rejects where the target cannot be loaded, or once the signal gives it up. */
  readonly start: (target: Target, signal: AbortSignal) => Promise<void>;
};

type Load<Target> = {
  readonly key: string;
  readonly target: Target;
  readonly done: Promise<void>;
  readonly cancel: AbortController;
  /** Callers that wait for it and have not given it up. */
  wanted: number;
};

/**
 * Loads under way. Callers that want the same share one, and it is given up once all of them have. One that has been given up may
 * take a while to end: who comes then begins another.
 */
export class SharedLoads<Target> {
  readonly #options: SharedLoadsOptions<Target>;
  readonly #loads = new Set<Load<Target>>();

  constructor(options: SharedLoadsOptions<Target>) {
    this.#options = options;
  }

  /** What is being loaded, or has been given up and has not ended yet. */
  targets(): readonly Target[] {
    return [...this.#loads].map(({ target }) => target);
  }

  /** Rejects as the load does. */
  async load(target: Target, signal: AbortSignal | undefined): Promise<void> {
    const load = this.#wantedLoad(target) ?? this.#begin(target);
    load.wanted += 1;
    const giveUp = (): void => {
      load.wanted -= 1;
      if (load.wanted === 0) load.cancel.abort();
    };
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    await load.done.finally(() => signal?.removeEventListener('abort', giveUp));
  }

  /** Gives loads up, regardless of who waits for them; by default all. */
  giveUp(isMeant: (target: Target) => boolean = () => true): void {
    for (const { target, cancel } of this.#loads) if (isMeant(target)) cancel.abort();
  }

  /** Resolves once all that is under way has ended, in whichever way. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#loads].map(({ done }) => done));
  }

  #wantedLoad(target: Target): Load<Target> | undefined {
    const key = this.#options.keyOf(target);
    return [...this.#loads].find((load) => load.key === key && !load.cancel.signal.aborted);
  }

  #begin(target: Target): Load<Target> {
    const { keyOf, start } = this.#options;
    const cancel = new AbortController();
    const done = start(target, cancel.signal).finally(() => this.#loads.delete(load));
    const load: Load<Target> = { key: keyOf(target), target, done, cancel, wanted: 0 };
    this.#loads.add(load);
    return load;
  }
}
