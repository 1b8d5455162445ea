import { compare } from '../../load/modes/compare.ts';
import { run } from '../../load/modes/run.ts';
import { SLO_DEFAULTS, slo } from '../../load/modes/slo.ts';
import { soak } from '../../load/modes/soak.ts';
import { SWEEP_DEFAULTS, sweep } from '../../load/modes/sweep.ts';
import type { BenchRecord, ModeResult } from '../../load/nouns/result.ts';
import { doubtsOf } from '../../load/report/describe.ts';
import { headlineOf, tablesOf } from '../../load/report/rows.ts';
import { alignedRows } from '../../load/report/table.ts';
import { memoryOf } from '../../load/target/process-memory.ts';
import { TargetError } from '../../load/target/target-error.ts';
import { CommandError, EXIT, type ExitCode } from '../exit-code.ts';
import { print, readFormat } from '../output.ts';
import { writeErr } from '../standard-output.ts';
import { formatTable } from '../table.ts';
import { readArrivals } from './arrivals-option.ts';
import type {
  CompareOptions,
  LoadOptions,
  RunOptions,
  SloOptions,
  SoakOptions,
  SweepOptions,
} from './load-options.ts';
import { type Arms, expectPatience, type OpenBench, openArms } from './open.ts';
import { expectWritable, writeReports } from './report-files.ts';
import { readOther, readTarget } from './target-option.ts';
import { readNumber, readRate, readShare, readTime, readWhole, wrongOption } from './values.ts';

const PIDS = { min: 1, max: 2 ** 31 - 1 };

/** `understudy bench run`. */
export async function benchRun(options: RunOptions): Promise<void> {
  const arrivals = await readArrivals(options);
  const measuredMs = readTime('duration', options.duration);
  const arms = { a: readTarget(options), endsEarly: true };
  await perform(options, arms, ({ bench, seed, warmupMs }) =>
    run(bench, { arrivals, durationMs: warmupMs + measuredMs, warmupMs, seed }),
  );
}

/** `understudy bench sweep`. */
export async function benchSweep(options: SweepOptions): Promise<void> {
  const ofCapacity = options.loads
    .split(',')
    .map((load) => readNumber('loads', load, { min: 0.01, max: 100 }));
  const pointMs = readTime('duration', options.duration);
  const lengths = {
    pointMs,
    // At a low rate it takes longer to see enough requests, within reason.
    pointMsMax: 6 * pointMs,
    loopMs: Math.min(pointMs, SWEEP_DEFAULTS.loopMs),
  };
  await perform(options, { a: readTarget(options) }, ({ bench, seed, warmupMs }) =>
    sweep(bench, { ofCapacity, ...lengths, warmupMs, seed }),
  );
}

/** `understudy bench compare`. */
export async function benchCompare(options: CompareOptions): Promise<void> {
  const arrivals = await readArrivals(options);
  const a = readTarget(options);
  const b = readOther(options, a);
  const settings = {
    blockMs: readTime('duration', options.duration),
    rounds: readWhole('rounds', options.rounds, { min: 3, max: 10_000 }),
    confidence: readShare('confidence', options.confidence),
  };
  await perform(options, { a, b }, ({ bench, seed, warmupMs }) =>
    compare(bench, { ...settings, arrivals, seed, warmupMs }),
  );
}

/** `understudy bench slo`. */
export async function benchSlo(options: SloOptions): Promise<void> {
  const proofMs = readTime('duration', options.duration);
  expectPatience(options, 'within', options.within);
  const settings = {
    withinMs: readTime('within', options.within),
    quantile: readShare('quantile', options.quantile),
    confidence: readShare('confidence', options.confidence),
    proofMs,
    searchMs: Math.min(proofMs, SLO_DEFAULTS.searchMs),
    loadMsMax: Math.max(proofMs, SLO_DEFAULTS.loadMsMax),
    ...(options.from !== undefined && { startPerSecond: readRate('from', options.from) }),
  };
  await perform(options, { a: readTarget(options) }, ({ bench, seed, warmupMs }) =>
    slo(bench, { ...settings, seed, warmupMs }),
  );
}

/** `understudy bench soak`. */
export async function benchSoak(options: SoakOptions): Promise<void> {
  const arrivals = await readArrivals(options);
  const measuredMs = readTime('duration', options.duration);
  const pid =
    options.watchPid === undefined ? undefined : readWhole('watch-pid', options.watchPid, PIDS);
  if (pid !== undefined && memoryOf(pid) === undefined)
    throw wrongOption('watch-pid', 'a process of this machine whose memory may be read', `${pid}`);
  const sampleMemory = pid === undefined ? undefined : () => memoryOf(pid);
  const arms = { a: readTarget(options), endsEarly: true };
  await perform(options, arms, ({ bench, seed, warmupMs }) =>
    soak(bench, { arrivals, durationMs: warmupMs + measuredMs, warmupMs, seed, sampleMemory }),
  );
}

async function perform(
  options: LoadOptions,
  arms: Arms,
  work: (open: OpenBench) => Promise<ModeResult>,
): Promise<void> {
  const format = readFormat(options.output);
  // Not only once hours of measuring are over.
  if (options.out !== undefined) await expectWritable(options.out);
  const record = await recordOf(options, arms, work);
  process.exitCode = exitCodeOf(record);
  // First, since the process ends where standard output cannot be written.
  const page = options.out === undefined ? undefined : await writeReports(options.out, record);
  print(record, format, (made) => textOf(made));
  if (page !== undefined) writeErr(`The report with plots: ${page}\n`);
}

async function recordOf(
  options: LoadOptions,
  arms: Arms,
  work: (open: OpenBench) => Promise<ModeResult>,
): Promise<BenchRecord> {
  try {
    const open = await openArms(options, arms);
    try {
      return { conditions: open.conditions, result: await work(open) };
    } finally {
      open.close();
    }
  } catch (error) {
    if (error instanceof RangeError)
      throw new CommandError(EXIT.usage, error.message, { cause: error });
    if (error instanceof TargetError)
      throw new CommandError(EXIT.unreachable, error.message, { cause: error });
    throw error;
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

/** What each mode was asked for, and whether it was found; figures that are not to be trusted are neither. */
export function exitCodeOf(record: BenchRecord): ExitCode {
  const { result } = record;
  const trusted = (code: ExitCode): ExitCode =>
    doubtsOf(record).length > 0 ? EXIT.inconclusive : code;
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
    // These know what to make of a doubtful load themselves: it proves nothing.
    case 'compare':
      return result.trusted ? EXIT.ok : EXIT.inconclusive;
    case 'sweep':
      return result.kneePerSecond === undefined ? trusted(EXIT.failed) : EXIT.ok;
    case 'slo':
      return result.perSecond === undefined ? trusted(EXIT.failed) : EXIT.ok;
  }
}
