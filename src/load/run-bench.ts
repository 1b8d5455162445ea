import { messageOf } from '../core/errors.ts';
import { BenchRequestError } from './bench-request-error.ts';
import { Generator } from './engine/generator.ts';
import type { LoadOrder } from './modes/bench.ts';
import { checkNumber } from './modes/option-checks.ts';
import type { AnswerCheck } from './nouns/answer-check.ts';
import type { BenchRequest } from './nouns/bench-request.ts';
import type { LoadProgress } from './nouns/load-report.ts';
import type { BenchConditions, ModeResult } from './nouns/result.ts';
import type { Sample } from './nouns/sample.ts';
import type { Target, TargetFacts } from './nouns/target.ts';
import { type ArmLoad, type BenchParts, openBench } from './open-bench.ts';
import { type ImageDecoder, readInputs } from './read-inputs.ts';
import { ANSWER_FORMS, requestsFor, wireFor } from './requests/write-requests.ts';
import { runMode } from './run-mode.ts';
import { askTarget } from './target/ask.ts';

/** Callbacks of a running bench, and the signal that ends it. All are optional. */
export type BenchTools = {
  /** Takes one line of plain words. */
  readonly print?: (line: string) => void;
  /** Called a few times a second, with the load that is under way. */
  readonly watch?: (progress: LoadProgress, order: LoadOrder) => void;
  /** Called once: the servers have answered, the requests are made, and the first load follows. */
  readonly onReady?: () => void;
  /** Aborted: a run or a soak ends early and is reported as far as it came; any other mode rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Needed where the inputs are images. */
  readonly openImageDecoder?: () => Promise<ImageDecoder>;
};

export type BenchOutcome = Pick<BenchConditions, 'seed' | 'targets' | 'inputs'> & {
  readonly result: ModeResult;
};

/**
 * Runs a bench from its first question to its result; what it starts has ended by then.
 *
 * @throws RangeError for numbers that make no sense, before the first load.
 * @throws TargetError where a server cannot be asked, or does not say what the model takes.
 * @throws BenchRequestError for inputs and headers that cannot be sent.
 * @throws Error where the load shows nothing: no right answer at all, or a generator that failed.
 */
export async function runBench(
  request: BenchRequest,
  tools: BenchTools = {},
): Promise<BenchOutcome> {
  checkRequest(request);
  const { target, mode, seed, processes } = request;
  const a = await factsOf(target);
  const b = mode.kind === 'compare' ? await factsOf(mode.other) : undefined;
  const { openImageDecoder } = tools;
  const inputs = await orRefuse(() =>
    readInputs(request.inputs, a.signature, { seed, openImageDecoder }),
  );
  const loads = {
    a: await orRefuse(() => loadOf(target, inputs.samples, request)),
    b:
      mode.kind === 'compare'
        ? await orRefuse(() => loadOf(mode.other, inputs.samples, request))
        : undefined,
  };
  tools.signal?.throwIfAborted();
  const generator = new Generator({ processes });
  try {
    const bench = openBench({ generator, ...loads, ...partsOf(request, tools) });
    tools.onReady?.();
    const result = await runMode(bench, request);
    return { seed, targets: b ? [a, b] : [a], inputs: inputs.from, result };
  } finally {
    generator.close();
  }
}

function checkRequest(request: BenchRequest): void {
  const { mode, timeoutMs, deadlineMs } = request;
  checkNumber('seed', request.seed, { from: 0, below: 2 ** 31, whole: true });
  checkNumber('inFlightMax', request.inFlightMax, { from: 1, to: 100_000, whole: true });
  checkNumber('connections', request.connections, { from: 1, to: 1_000, whole: true });
  checkNumber('processes', request.processes, { from: 1, to: 64, whole: true });
  checkNumber('tolerance', request.tolerance, { from: 0 });
  checkNumber('warmupMs', request.warmupMs, { from: 0 });
  checkNumber('deadlineMs', deadlineMs, { above: 0 });
  // An answer that is given up before it is late would count as late: a figure of the time-out, not of the server.
  const lateMs = mode.kind === 'slo' ? Math.max(deadlineMs, mode.withinMs) : deadlineMs;
  checkNumber('timeoutMs', timeoutMs, { from: lateMs });
}

async function factsOf(target: Target): Promise<Target & TargetFacts> {
  // What a header says may be a secret: a record has the names alone. So may be what a client proves who it is with.
  const headers = Object.fromEntries(Object.keys(target.headers).map((name) => [name, '...']));
  const { host, port, tls } = target.address;
  return { ...target, ...(await askTarget(target)), headers, address: { host, port, tls } };
}

function loadOf(target: Target, samples: readonly Sample[], request: BenchRequest): ArmLoad {
  const check = checkOf(target, samples, request);
  const wire = wireFor(target, request.connections);
  return { target, wire, requests: requestsFor(target, samples), ...(check && { check }) };
}

/** Answers are checked where that is asked for, and where the inputs came with what they must be answered with. */
function checkOf(
  { protocol }: Target,
  samples: readonly Sample[],
  { check, tolerance }: BenchRequest,
): AnswerCheck | undefined {
  const expected = samples.map((sample) => sample.expected);
  if (!check && expected.every((outputs) => outputs === undefined)) return undefined;
  return { form: ANSWER_FORMS[protocol], expected, absolute: tolerance, relative: tolerance };
}

async function orRefuse<Made>(make: () => Made | Promise<Made>): Promise<Made> {
  try {
    return await make();
  } catch (error) {
    throw new BenchRequestError(messageOf(error), { cause: error });
  }
}

/** Of a run and a soak there is something to report however early they end; half of the other modes shows nothing. */
function partsOf(
  { mode, inFlightMax, deadlineMs, timeoutMs }: BenchRequest,
  { print = () => undefined, watch = () => undefined, signal = NEVER }: BenchTools,
): Pick<BenchParts, 'terms' | 'print' | 'watch' | 'signal' | 'enough'> {
  const terms = { inFlightMax, deadlineMs, timeoutMs };
  const endsEarly = mode.kind === 'run' || mode.kind === 'soak';
  return { terms, print, watch, signal: endsEarly ? NEVER : signal, enough: signal };
}

const NEVER = new AbortController().signal;
