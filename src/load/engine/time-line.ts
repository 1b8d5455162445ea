import { Tally, type TallyData } from './tally.ts';

const INTERVALS = 100;
const INTERVAL_MS_MIN = 100;

/** A stretch of a load's time, from its start. */
export type Stretch = { readonly fromMs: number; readonly forMs: number; readonly warmup: boolean };

type Times = { readonly durationMs: number; readonly warmupMs: number };

/** A load's time in about 100 intervals of 100 ms or more. None is partly warm-up. */
export function stretchesOf({ durationMs, warmupMs }: Times): readonly Stretch[] {
  const aboutMs = Math.max(INTERVAL_MS_MIN, durationMs / INTERVALS);
  const part = (fromMs: number, toMs: number, warmup: boolean): Stretch[] => {
    if (toMs <= fromMs) return [];
    // The sum of rounded numbers must not make one interval less.
    const count = Math.max(1, Math.floor((toMs - fromMs) / aboutMs + 1e-6));
    const forMs = (toMs - fromMs) / count;
    return Array.from({ length: count }, (_, place) => ({
      fromMs: fromMs + place * forMs,
      forMs,
      warmup,
    }));
  };
  const warmMs = Math.min(warmupMs, durationMs);
  return [...part(0, warmMs, true), ...part(warmMs, durationMs, false)];
}

/** Tallies by the interval that requests were meant to start in. */
export class TimeLine {
  readonly #stretches: readonly Stretch[];
  readonly #tallies: (Tally | undefined)[];
  #at = 0;

  constructor(times: Times) {
    this.#stretches = stretchesOf(times);
    this.#tallies = Array.from(this.#stretches, () => undefined);
  }

  /** The tally of an intended start. Starts come in order, or nearly: the search begins where the last one ended. */
  tallyAt(intendedMs: number): Tally {
    while (this.#at > 0 && intendedMs < (this.#stretches[this.#at]?.fromMs ?? 0)) this.#at -= 1;
    while (intendedMs >= (this.#stretches[this.#at + 1]?.fromMs ?? Number.POSITIVE_INFINITY))
      this.#at += 1;
    const tally = this.#tallies[this.#at] ?? new Tally();
    this.#tallies[this.#at] = tally;
    return tally;
  }

  /** One for each interval; undefined: no request was meant to start in it. */
  data(): readonly (TallyData | undefined)[] {
    return this.#tallies.map((tally) => tally?.data());
  }
}
