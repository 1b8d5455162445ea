import { type Bench, type LoadOrder, loadOnce } from './bench.ts';
import { arrivalsText, tellLoad } from './load-words.ts';
import { checkLengths } from './option-checks.ts';
import type { RunResult } from './result.ts';

/** One load on A. Throws a RangeError for lengths that make no sense. */
export async function run(bench: Bench, order: LoadOrder): Promise<RunResult> {
  checkLengths(order);
  bench.tell(
    `One load: ${arrivalsText(order.arrivals)} for ${order.durationMs / 1000} s, of which the first ` +
      `${order.warmupMs / 1000} s are not measured; seed ${order.seed}.`,
  );
  const measured = await loadOnce(bench, 'A', order);
  tellLoad(bench, 'Measured', measured.report);
  return { mode: 'run', ...measured };
}
