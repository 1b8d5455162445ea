/**
 * A running estimate of the 99th percentile of a time, for a few instructions per sample and no memory: it climbs by a part of
 * itself when a sample lies above it, and sinks by a hundredth of that part when one lies below, so that it rests where one sample
 * in a hundred is above. It follows a change of load within some hundred samples. An estimate to leave room by, not to judge by.
 */
export class LearnedP99 {
  #count = 0;
  #ms = 0;

  /** Milliseconds; undefined until there are enough samples to say anything. */
  get ms(): number | undefined {
    return this.#count < SAMPLES_MIN ? undefined : this.#ms;
  }

  add(sampleMs: number): void {
    if (this.#count < SAMPLES_MIN) {
      this.#count += 1;
      this.#ms = Math.max(this.#ms, sampleMs, LEAST_MS);
      return;
    }
    const factor = sampleMs > this.#ms ? CLIMB : SINK;
    this.#ms = Math.max(this.#ms * factor, LEAST_MS);
  }
}

const SAMPLES_MIN = 20;
const LEAST_MS = 0.1;
const STEP = 0.1;
const CLIMB = 1 + STEP * 0.99;
const SINK = 1 - STEP * 0.01;
