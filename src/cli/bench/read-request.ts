import { freshRandom } from '../../core/random.ts';
import type { BenchRequest, ModeRequest } from '../../load/nouns/bench-request.ts';
import { memoryOf } from '../../load/target/process-memory.ts';
import { readArrivals } from './arrivals-option.ts';
import { readInputsOption } from './inputs-option.ts';
import type {
  CompareOptions,
  LoadOptions,
  RunOptions,
  SloOptions,
  SoakOptions,
  SweepOptions,
} from './load-options.ts';
import { readOther, readTarget } from './target-option.ts';
import { readNumber, readRate, readShare, readTime, readWhole, wrongOption } from './values.ts';

const SEED_BELOW = 2 ** 31;
const PIDS = { min: 1, max: 2 ** 31 - 1 };

/** The options of `bench run`, read. Throws a CommandError for one that cannot be understood, as all of these do. */
export async function runRequest(options: RunOptions): Promise<BenchRequest> {
  const arrivals = await readArrivals(options);
  const measuredMs = readTime('duration', options.duration);
  return requestOf(options, { kind: 'run', arrivals, measuredMs });
}

/** The options of `bench sweep`. */
export function sweepRequest(options: SweepOptions): BenchRequest {
  const ofCapacity = options.loads
    .split(',')
    .map((load) => readNumber('loads', load, { min: 0.01, max: 100 }));
  const pointMs = readTime('duration', options.duration);
  return requestOf(options, { kind: 'sweep', ofCapacity, pointMs });
}

/** The options of `bench compare`. */
export async function compareRequest(options: CompareOptions): Promise<BenchRequest> {
  return requestOf(options, {
    kind: 'compare',
    arrivals: await readArrivals(options),
    other: readOther(options, readTarget(options)),
    blockMs: readTime('duration', options.duration),
    rounds: readWhole('rounds', options.rounds, { min: 3, max: 10_000 }),
    confidence: readShare('confidence', options.confidence),
  });
}

/** The options of `bench slo`. */
export function sloRequest(options: SloOptions): BenchRequest {
  expectPatience(options, 'within', options.within);
  return requestOf(options, {
    kind: 'slo',
    withinMs: readTime('within', options.within),
    quantile: readShare('quantile', options.quantile),
    confidence: readShare('confidence', options.confidence),
    proofMs: readTime('duration', options.duration),
    ...(options.from !== undefined && { startPerSecond: readRate('from', options.from) }),
  });
}

/** The options of `bench soak`. */
export async function soakRequest(options: SoakOptions): Promise<BenchRequest> {
  const arrivals = await readArrivals(options);
  const measuredMs = readTime('duration', options.duration);
  return requestOf(options, {
    kind: 'soak',
    arrivals,
    measuredMs,
    ...(options.watchPid !== undefined && { watchPid: readPid(options.watchPid) }),
  });
}

function readPid(text: string): number {
  const pid = readWhole('watch-pid', text, PIDS);
  if (memoryOf(pid) !== undefined) return pid;
  throw wrongOption('watch-pid', 'a process of this machine whose memory may be read', `${pid}`);
}

function requestOf(options: LoadOptions, mode: ModeRequest): BenchRequest {
  expectPatience(options, 'deadline', options.deadline);
  const { seed } = options;
  return {
    target: readTarget(options),
    mode,
    inputs: readInputsOption(options),
    seed:
      seed === undefined
        ? freshRandom().integer(SEED_BELOW)
        : readWhole('seed', seed, { min: 0, max: SEED_BELOW - 1 }),
    check: options.check === true,
    tolerance: readNumber('tolerance', options.tolerance, { min: 0, max: 1e9 }),
    warmupMs: readTime('warmup', options.warmup),
    deadlineMs: readTime('deadline', options.deadline),
    timeoutMs: readTime('timeout', options.timeout),
    inFlightMax: readWhole('in-flight', options.inFlight, { min: 1, max: 100_000 }),
    connections: readWhole('connections', options.connections, { min: 1, max: 1_000 }),
    processes: readWhole('processes', options.processes, { min: 1, max: 64 }),
  };
}

/** An answer that is given up before it is late would count as late: a figure of the time-out, not of the server. */
function expectPatience({ timeout }: LoadOptions, option: string, text: string): void {
  if (readTime('timeout', timeout) >= readTime(option, text)) return;
  throw wrongOption('timeout', `a time no less than --${option}, ${text}`, timeout);
}
