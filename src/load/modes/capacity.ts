import { durationText } from '../../core/text.ts';
import type { SweepResult } from '../nouns/result.ts';
import { type Bench, loadOnce } from './bench.ts';
import { errorsText, perSecondText } from './load-words.ts';

/** The capacity is reached when more concurrency gains less than this share twice in a row. */
const GAIN_MIN = 0.05;
const STALE_MAX = 2;

export type CapacitySearch = {
  /** Of each closed loop, warm-up not included. */
  readonly loopMs: number;
  readonly warmupMs: number;
  readonly concurrencyMax: number;
  readonly deadlineMs?: number | undefined;
  readonly nextSeed: () => number;
};

/**
 * The most answers per second that a closed loop gets, its concurrency doubling until that gains less than 5 % twice in a row:
 * one noisy loop must not end the search too early. Throws an Error where the first loop gets no answer.
 */
export async function findCapacity(
  bench: Bench,
  search: CapacitySearch,
): Promise<Pick<SweepResult, 'capacityPerSecond' | 'closed'>> {
  const { loopMs, warmupMs, concurrencyMax, deadlineMs, nextSeed } = search;
  bench.print(
    `Looking for the capacity: closed loops of ${durationText(loopMs)} with twice the concurrency each time.`,
  );
  const closed: SweepResult['closed'][number][] = [];
  let [best, stale] = [0, 0];
  for (let concurrency = 1; concurrency <= concurrencyMax && stale < STALE_MAX; concurrency *= 2) {
    const measured = await loadOnce(bench, 'A', {
      arrivals: { kind: 'closed', concurrency },
      durationMs: warmupMs + loopMs,
      warmupMs,
      seed: nextSeed(),
      deadlineMs,
    });
    const { answersPerSecond, measured: figures } = measured.report;
    closed.push({ concurrency, ...measured });
    bench.print(
      `  concurrency ${concurrency}: ${perSecondText(answersPerSecond)}, ${errorsText(figures)}.`,
    );
    if (best === 0 && !(answersPerSecond > 0)) {
      throw new Error(
        `A closed loop of ${concurrency} got no right answer (${errorsText(figures)}): there is no capacity to measure. ` +
          'Look at the target, the model and the requests.',
      );
    }
    stale = answersPerSecond < best * (1 + GAIN_MIN) ? stale + 1 : 0;
    best = Math.max(best, answersPerSecond);
  }
  bench.print(
    stale < STALE_MAX
      ? `Capacity: at least ${perSecondText(best)}; it still grew at a concurrency of ${closed.at(-1)?.concurrency}.`
      : `Capacity: ${perSecondText(best)}.`,
  );
  return { capacityPerSecond: best, closed };
}
