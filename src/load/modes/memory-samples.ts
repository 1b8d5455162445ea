import type { LoadReport } from '../nouns/load-report.ts';

/** A value stands for an interval that began this long after it, or as long as the interval itself. */
const STALE_MS = 1000;
/** Samples in a load: two for each of the about hundred intervals of a time line. */
const SAMPLES = 200;

type Sample = { readonly atMs: number; readonly mib: number };

/** Samples a process's memory while a load runs, and lays the samples over the load's time line. */
export class MemorySamples {
  readonly #sample: () => number | undefined;
  readonly #everyMs: number;
  readonly #samples: Sample[] = [];
  #nextMs = 0;

  /** `sample`: resident memory in MiB; undefined: it cannot be read, as the process is gone, say. */
  constructor(sample: () => number | undefined, durationMs: number) {
    this.#sample = sample;
    this.#everyMs = durationMs / SAMPLES;
  }

  /** To be called a few times a second. */
  watch(elapsedMs: number): void {
    if (elapsedMs < this.#nextMs) return;
    this.#nextMs = elapsedMs + this.#everyMs;
    const mib = this.#sample();
    if (mib !== undefined && Number.isFinite(mib)) this.#samples.push({ atMs: elapsedMs, mib });
  }

  /** The last value before the end of each interval, else the first one after it; undefined where that is too far away. */
  over(timeline: LoadReport['timeline']): readonly (number | undefined)[] {
    return timeline.map(({ fromMs, forMs }) => {
      const near = this.#samples.findLast(({ atMs }) => atMs <= fromMs + forMs) ?? this.#samples[0];
      const isNear =
        near !== undefined && Math.abs(near.atMs - fromMs) <= Math.max(STALE_MS, forMs);
      return isNear ? near.mib : undefined;
    });
  }
}
