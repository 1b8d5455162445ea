import { type Clock, systemClock } from '../core/clock.ts';

/**
 * A cooperative scheduler for long work on the thread that also serves all other requests. The work is done in slices; all of it
 * shares one FIFO queue and takes one slice per turn of the event loop, so that forty large bodies at a time block the loop no
 * longer than one does.
 */
export type TimeSlicer = {
  /** True once sliced tasks have had all the time that they may take in this turn of the event loop. */
  readonly isOver: () => boolean;
  /** Resolves when the caller may run its next slice. */
  readonly next: () => Promise<void>;
};

/** Sliced tasks in one turn of the event loop. */
const SLICE_MS = 0.5;

/**
 * Bytes that a task may process between two looks at the clock: some ten microseconds. Slices are measured in time, since the same
 * bytes take thirty times as long while the code is still cold.
 */
const STEP_BYTES = 4_096;

/** Work that is complete once `step` returns true. Work of one step never waits. */
export type SlicedTask = { step(budgetBytes: number): boolean };

export function createTimeSlicer(clock: Clock = systemClock): TimeSlicer {
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

/** Runs a sliced task to its end. */
export async function runSliced(task: SlicedTask, slicer: TimeSlicer): Promise<void> {
  while (!task.step(STEP_BYTES)) if (slicer.isOver()) await slicer.next();
}

/** The same for a computation that yields where it may be interrupted. */
export async function runSlicedSteps<T>(steps: Generator<void, T>, slicer: TimeSlicer): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (slicer.isOver()) await slicer.next();
  }
}

/** The same without an interruption: where no request waits. */
export function runSteps<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The time that sliced tasks take in one turn of the event loop, all together. It starts when it is first asked for. */
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
