import { BenchRequestError } from '../../load/bench-request-error.ts';
import type { BenchRequest } from '../../load/nouns/bench-request.ts';
import type { BenchRecord } from '../../load/nouns/result.ts';
import { warningsOf } from '../../load/report/describe.ts';
import { headlineOf, tablesOf } from '../../load/report/rows.ts';
import { alignedRows } from '../../load/report/table.ts';
import { runBench } from '../../load/run-bench.ts';
import { TargetError } from '../../load/target/target-error.ts';
import { openImageDecoder } from '../../pipeline/image-decoder.ts';
import { CommandError, EXIT, type ExitCode } from '../exit-code.ts';
import { print, readFormat } from '../output.ts';
import { writeErr } from '../standard-output.ts';
import { formatTable } from '../table.ts';
import { conditionsOf } from './conditions.ts';
import { openInterrupts } from './interrupts.ts';
import { openLive } from './live.ts';
import type {
  CompareOptions,
  LoadOptions,
  RunOptions,
  SloOptions,
  SoakOptions,
  SweepOptions,
} from './load-options.ts';
import {
  compareRequest,
  runRequest,
  sloRequest,
  soakRequest,
  sweepRequest,
} from './read-request.ts';
import { expectWritable, writeReports } from './report-files.ts';

/** `understudy bench run`. */
export async function benchRun(options: RunOptions): Promise<void> {
  await perform(options, await runRequest(options));
}

/** `understudy bench sweep`. */
export async function benchSweep(options: SweepOptions): Promise<void> {
  await perform(options, sweepRequest(options));
}

/** `understudy bench compare`. */
export async function benchCompare(options: CompareOptions): Promise<void> {
  await perform(options, await compareRequest(options));
}

/** `understudy bench slo`. */
export async function benchSlo(options: SloOptions): Promise<void> {
  await perform(options, sloRequest(options));
}

/** `understudy bench soak`. */
export async function benchSoak(options: SoakOptions): Promise<void> {
  await perform(options, await soakRequest(options));
}

async function perform(options: LoadOptions, request: BenchRequest): Promise<void> {
  const format = readFormat(options.output);
  // Not only once hours of measuring are over.
  if (options.out !== undefined) await expectWritable(options.out);
  const record = await recordOf(request);
  process.exitCode = exitCodeOf(record);
  // First, since the process ends where standard output cannot be written.
  const page = options.out === undefined ? undefined : await writeReports(options.out, record);
  await print(record, format, (made) => textOf(made));
  if (page !== undefined) writeErr(`The report with plots: ${page}\n`);
}

async function recordOf(request: BenchRequest): Promise<BenchRecord> {
  const live = openLive(request.inFlightMax);
  const { signal, hear, forget } = openInterrupts();
  const tools = { ...live, signal, onReady: hear, openImageDecoder };
  try {
    const about = conditionsOf(request.seed);
    const { result, targets, inputs } = await runBench(request, tools);
    return { conditions: { ...about, targets, inputs }, result };
  } catch (error) {
    if (error instanceof RangeError || error instanceof BenchRequestError)
      throw new CommandError(EXIT.usage, error.message, { cause: error });
    if (error instanceof TargetError)
      throw new CommandError(EXIT.unreachable, error.message, { cause: error });
    throw error;
  } finally {
    live.done();
    forget();
  }
}

function textOf(record: BenchRecord): string {
  const tables = tablesOf(record).map(({ title, rows, notes }) =>
    [title, formatTable(alignedRows(rows)), ...notes].join('\n'),
  );
  const { command, machine, understudy } = record.conditions;
  const taken = `Understudy ${understudy}, Node ${machine.node}, ${machine.cores} cores (${machine.processor}).`;
  return [headlineOf(record), ...tables, `Again: ${command}\n${taken}`].join('\n\n');
}

/** What each mode was asked for, and whether it was found; a load with warnings is inconclusive. */
export function exitCodeOf(record: BenchRecord): ExitCode {
  const { result } = record;
  const trusted = (code: ExitCode): ExitCode =>
    warningsOf(record).length > 0 ? EXIT.inconclusive : code;
  switch (result.mode) {
    case 'run':
      return trusted(result.report.measured.ok > 0 ? EXIT.ok : EXIT.failed);
    case 'soak': {
      const { drifts, memoryMiB } = result;
      if (drifts.some((drift) => drift.drifts)) return trusted(EXIT.failed);
      // Ended before anything could be followed, or what was to be watched could not be.
      const isPartial = drifts.length === 0 || memoryMiB?.includes(null) === true;
      return isPartial ? EXIT.inconclusive : trusted(EXIT.ok);
    }
    // These modes count a load with warnings as invalid themselves.
    case 'compare':
      return result.trusted ? EXIT.ok : EXIT.inconclusive;
    case 'sweep':
      return result.kneePerSecond === undefined ? trusted(EXIT.failed) : EXIT.ok;
    case 'slo':
      return result.perSecond === undefined ? trusted(EXIT.failed) : EXIT.ok;
  }
}
