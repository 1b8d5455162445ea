import type { Route } from '../core/route.ts';
import type { Lane } from '../host/lane.ts';

/** What a lane holds: the candidate, and stable's copy to compare with. */
export type LaneTarget = {
  readonly model: string;
  readonly candidate: string;
  readonly twin: string;
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

  /** Starts the lane that a route mirrors to, unless it is there. */
  async prepare(route: Route): Promise<void> {
    const target = laneTargetOf(route);
    const held = this.#held.get(route.model);
    if (target === undefined || (held !== undefined && isSame(held.target, target))) return;
    const lane = await this.#options.startLane(target);
    if (held !== undefined) this.#close(held);
    this.#held.set(route.model, { target, lane });
  }

  /** Closes the lane that a route no longer mirrors to. */
  settle(route: Route): void {
    const held = this.#held.get(route.model);
    if (held === undefined || laneTargetOf(route) !== undefined) return;
    this.#held.delete(route.model);
    this.#close(held);
  }

  async close(): Promise<void> {
    for (const held of this.#held.values()) this.#close(held);
    this.#held.clear();
    await Promise.all(this.#closing);
  }

  #close({ lane }: Held): void {
    const closing = lane
      .close()
      .catch((error: unknown) => this.#options.onInternalError('close lane', error))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

function laneTargetOf({ model, mirror, stable }: Route): LaneTarget | undefined {
  return mirror && { model, candidate: mirror.version, twin: stable };
}

function isSame(a: LaneTarget, b: LaneTarget): boolean {
  return a.candidate === b.candidate && a.twin === b.twin;
}
