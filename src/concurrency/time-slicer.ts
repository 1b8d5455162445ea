import { type Clock, systemClock } from '../core/clock.ts';

/**
 * Long work on the thread that also serves everyone else, done in slices. All such work shares one queue and takes one slice
 * per turn of the event loop, so that forty large bodies at once make the loop no slower than one does.
 */
export type Turns = {
  /** True once sliced work has had all the time that it may take in this turn of the event loop. */
  readonly isOver: () => boolean;
  /** Resolves when it is the caller's turn to do one slice. */
  readonly next: () => Promise<void>;
};

/** Sliced work in one turn of the event loop. */
const SLICE_MS = 0.5;

/**
 * Bytes of JSON read or written between two looks at the clock: some ten microseconds. Slices are as long as time says, since
 * the same bytes take thirty times as long while the code is still cold.
 */
const STEP_BYTES = 4_096;

/** Work that goes on until `step` says that it is done. Work of one step never waits. */
export type Sliced = { step(budgetBytes: number): boolean };

export function createTurns(clock: Clock = systemClock): Turns {
  const waiting: (() => void)[] = [];
  const slice = new Slice(clock);
  const pump = (): void => {
    slice.end();
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(pump);
  };
  return {
    isOver: () => slice.isOver(),
    next: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 1) setImmediate(pump);
      }),
  };
}

/** Runs sliced work to its end. */
export async function finish(work: Sliced, turns: Turns): Promise<void> {
  while (!work.step(STEP_BYTES)) if (turns.isOver()) await turns.next();
}

/** The time that sliced work takes in one turn of the event loop, over all requests. It begins when it is first asked for. */
class Slice {
  readonly #clock: Clock;
  #endsMs: number | undefined;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isOver(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (this.#endsMs !== undefined) return nowMs >= this.#endsMs;
    this.#endsMs = nowMs + SLICE_MS;
    this.#count += 1;
    const begun = this.#count;
    // By then another slice may have begun in this one's place.
    setImmediate(() => {
      if (this.#count === begun) this.end();
    });
    return false;
  }

  end(): void {
    this.#endsMs = undefined;
  }
}
