import { durationText } from '../../core/text.ts';
import { arrivalsText } from '../nouns/arrivals-text.ts';
import { keptArrivals } from '../nouns/kept-arrivals.ts';
import type { RunResult } from '../nouns/result.ts';
import { type Bench, type LoadOrder, loadOnce } from './bench.ts';
import { printLoad } from './load-words.ts';
import { checkLengths } from './option-checks.ts';

/** One load on A. Throws a RangeError for lengths that make no sense. */
export async function run(bench: Bench, order: LoadOrder): Promise<RunResult> {
  checkLengths(order);
  const { arrivals, durationMs, warmupMs, seed } = order;
  bench.print(
    `One load: ${arrivalsText(keptArrivals(arrivals))}, for ${durationText(durationMs)}; the first ${durationText(warmupMs)} are not ` +
      `measured. Seed ${seed}.`,
  );
  const measured = await loadOnce(bench, 'A', order);
  printLoad(bench, 'Measured', measured.report);
  return { mode: 'run', ...measured };
}
