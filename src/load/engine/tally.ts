import type { LoadFigures } from '../nouns/load-report.ts';
import { Histogram, type HistogramData } from './histogram.ts';

/** A tally as plain data, for another process. */
export type TallyData = {
  readonly offered: number;
  readonly ok: number;
  readonly good: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly latency: HistogramData;
  readonly service: HistogramData;
  readonly lag: HistogramData;
};

/** What a stretch of a load saw of the requests that were meant to start in it. Tallies add up. */
export class Tally {
  offered = 0;
  readonly latency = new Histogram();
  readonly service = new Histogram();
  readonly lag = new Histogram();
  readonly #errors = new Map<string, number>();
  #ok = 0;
  #good = 0;

  succeed({
    latencyMs,
    serviceMs,
    good,
  }: {
    latencyMs: number;
    serviceMs: number;
    good: boolean;
  }): void {
    this.#ok += 1;
    if (good) this.#good += 1;
    this.latency.add(latencyMs);
    this.service.add(serviceMs);
  }

  fail(kind: string, count = 1): void {
    this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + count);
  }

  add(data: TallyData): void {
    this.offered += data.offered;
    this.#ok += data.ok;
    this.#good += data.good;
    for (const [kind, count] of Object.entries(data.errors)) this.fail(kind, count);
    this.latency.addAll(data.latency);
    this.service.addAll(data.service);
    this.lag.addAll(data.lag);
  }

  data(): TallyData {
    return {
      offered: this.offered,
      ok: this.#ok,
      good: this.#good,
      errors: Object.fromEntries(this.#errors),
      latency: this.latency.data(),
      service: this.service.data(),
      lag: this.lag.data(),
    };
  }

  /** `forMs` is the length of the stretch, for the rates. */
  figures(forMs: number): LoadFigures {
    const perSecond = (count: number): number => (forMs > 0 ? (1000 * count) / forMs : 0);
    return {
      offered: this.offered,
      ok: this.#ok,
      good: this.#good,
      errors: Object.fromEntries(this.#errors),
      offeredPerSecond: perSecond(this.offered),
      okPerSecond: perSecond(this.#ok),
      goodPerSecond: perSecond(this.#good),
      latency: this.latency.summary(),
      service: this.service.summary(),
      lag: this.lag.summary(),
    };
  }
}
