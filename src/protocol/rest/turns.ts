/**
 * Long work on the thread that also serves everyone else, done in slices. All such work shares one queue and takes one slice
 * per turn of the event loop, so that forty large bodies at once make the loop no slower than one does.
 */
export type Turns = {
  /** Resolves when it is the caller's turn to do one slice. */
  readonly next: () => Promise<void>;
};

/** Bytes of JSON read or written in one slice: a fraction of a millisecond, and a few where the code is still cold. */
const SLICE_BYTES = 32_768;

/** Work that goes on until `step` says that it is done. Work of one slice never waits. */
export type Sliced = { step(budgetBytes: number): boolean };

export function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  const pump = (): void => {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(pump);
  };
  return {
    next: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 1) setImmediate(pump);
      }),
  };
}

/** Runs sliced work to its end. */
export async function finish(work: Sliced, turns: Turns): Promise<void> {
  while (!work.step(SLICE_BYTES)) await turns.next();
}
