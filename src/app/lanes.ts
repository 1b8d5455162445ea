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
  /** Resolves when candidate and twin are ready; rejects with a ServeError if one cannot serve. */
  readonly startLane: (target: LaneTarget) => Promise<Lane>;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

type Held = { readonly target: LaneTarget; readonly lane: Lane };

/** The shadow lanes, one for each model that mirrors. Prepared before a route asks for one, closed after it does no more. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #held = new Map<string, Held>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** The lane that holds a candidate. */
  find(model: string, candidate: string): Lane | undefined {
    const held = this.#held.get(model);
    return held?.target.candidate === candidate ? held.lane : undefined;
  }

  /** Starts the lane that a model is to mirror to, unless it is there. */
  async prepare(model: string, target: LaneTarget | undefined): Promise<void> {
    const held = this.#held.get(model);
    if (target === undefined || (held !== undefined && isSame(held.target, target))) return;
    const lane = await this.#options.startLane(target);
    if (held !== undefined) void this.#close(held);
    this.#held.set(model, { target, lane });
  }

  /** Closes the lane of a model that no longer mirrors. Resolves when it is closed; never rejects. */
  async settle(model: string, target: LaneTarget | undefined): Promise<void> {
    const held = this.#held.get(model);
    if (held === undefined || target !== undefined) return;
    this.#held.delete(model);
    await this.#close(held);
  }

  async close(): Promise<void> {
    for (const held of this.#held.values()) void this.#close(held);
    this.#held.clear();
    await Promise.all(this.#closing);
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

function isSame(a: LaneTarget, b: LaneTarget): boolean {
  return a.candidate === b.candidate && a.twin === b.twin && a.build === b.build;
}
