import { messageOf } from '../../core/errors.ts';
import { freshRandom } from '../../core/random.ts';
import { Generator } from '../../load/engine/generator.ts';
import type { Bench } from '../../load/modes/bench.ts';
import type { AnswerCheck } from '../../load/nouns/answer-check.ts';
import type { BenchConditions } from '../../load/nouns/result.ts';
import type { Sample } from '../../load/nouns/sample.ts';
import type { Target, TargetFacts } from '../../load/nouns/target.ts';
import { type ArmLoad, openBench } from '../../load/open-bench.ts';
import { ANSWER_FORMS, requestsFor, wireFor } from '../../load/requests/write-requests.ts';
import { askTarget } from '../../load/target/ask.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { conditionsOf } from './conditions.ts';
import { openLive } from './live.ts';
import type { LoadOptions } from './load-options.ts';
import { readInputs } from './samples-option.ts';
import { readNumber, readTime, readWhole, wrongOption } from './values.ts';

/** A bench that is ready to load, and what its record will say of how it was. */
export type OpenBench = {
  readonly bench: Bench;
  readonly seed: number;
  readonly warmupMs: number;
  readonly conditions: BenchConditions;
  readonly close: () => void;
};

export type Arms = {
  readonly a: Target;
  readonly b?: Target;
  /** True: an interrupt ends the load early and reports it, rather than giving all up. */
  readonly endsEarly?: boolean;
};

const SEED_BELOW = 2 ** 31;

/** Asks the servers what they take, makes the requests and starts the generator. */
export async function openArms(options: LoadOptions, arms: Arms): Promise<OpenBench> {
  const seed =
    options.seed === undefined
      ? freshRandom().integer(SEED_BELOW)
      : readWhole('seed', options.seed, { min: 0, max: SEED_BELOW - 1 });
  const terms = {
    inFlightMax: readWhole('in-flight', options.inFlight, { min: 1, max: 100_000 }),
    deadlineMs: readTime('deadline', options.deadline),
    timeoutMs: readTime('timeout', options.timeout),
  };
  expectPatience(options, 'deadline', options.deadline);
  const warmupMs = readTime('warmup', options.warmup);
  const processes = readWhole('processes', options.processes, { min: 1, max: 64 });
  const a = await factsOf(arms.a);
  const b = arms.b && (await factsOf(arms.b));
  const { samples, from } = await readInputs(options, a.signature, seed);
  // Before anything is started that would have to be ended: options may still be wrong.
  const loads = {
    a: loadOf(arms.a, samples, options),
    b: arms.b && loadOf(arms.b, samples, options),
  };
  const live = openLive(terms.inFlightMax);
  const generator = new Generator({ processes });
  const stop = interrupted();
  const early = arms.endsEarly === true ? { enough: stop.signal } : {};
  return {
    seed,
    warmupMs,
    conditions: conditionsOf({ seed, targets: b ? [a, b] : [a], inputs: from }),
    bench: openBench({
      generator,
      terms,
      ...loads,
      tell: live.tell,
      watch: live.watch,
      signal: arms.endsEarly === true ? new AbortController().signal : stop.signal,
      ...early,
    }),
    close: () => {
      live.done();
      stop.forget();
      generator.close();
    },
  };
}

/** An answer that is given up before it is late would count as late: a figure of the time-out, not of the server. */
export function expectPatience({ timeout }: LoadOptions, option: string, text: string): void {
  if (readTime('timeout', timeout) >= readTime(option, text)) return;
  throw wrongOption('timeout', `a time no less than --${option}, ${text}`, timeout);
}

async function factsOf(target: Target): Promise<Target & TargetFacts> {
  // What a header says may be a secret: a record has the names alone.
  const headers = Object.fromEntries(Object.keys(target.headers).map((name) => [name, '...']));
  return { ...target, ...(await askTarget(target)), headers };
}

function loadOf(target: Target, samples: readonly Sample[], options: LoadOptions): ArmLoad {
  const connections = readWhole('connections', options.connections, { min: 1, max: 1_000 });
  const check = checkOf(target, samples, options);
  try {
    const [wire, requests] = [wireFor(target, connections), requestsFor(target, samples)];
    return { target, wire, requests, ...(check && { check }) };
  } catch (error) {
    // A header or an input that the protocol has no place for.
    throw new CommandError(EXIT.usage, messageOf(error), { cause: error });
  }
}

/** Answers are checked where that is asked for, and where the inputs came with what they must be answered with. */
function checkOf(
  { protocol }: Target,
  samples: readonly Sample[],
  options: LoadOptions,
): AnswerCheck | undefined {
  const expected = samples.map((sample) => sample.expected);
  if (options.check !== true && expected.every((outputs) => outputs === undefined))
    return undefined;
  const tolerance = readNumber('tolerance', options.tolerance, { min: 0, max: 1e9 });
  return { form: ANSWER_FORMS[protocol], expected, absolute: tolerance, relative: tolerance };
}

const INTERRUPTS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Aborts at the first interrupt; the second one ends the process as ever. It goes on listening in between, since the live view
 * listens too, to give the terminal its cursor back, and would end the process if it were the only listener.
 */
function interrupted(): { readonly signal: AbortSignal; readonly forget: () => void } {
  const stop = new AbortController();
  const forget = (): void => {
    for (const name of INTERRUPTS) process.off(name, hear);
  };
  const hear = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) {
      forget();
      process.kill(process.pid, name);
    } else stop.abort(new Error(`stopped by ${name}`));
  };
  for (const name of INTERRUPTS) process.on(name, hear);
  return { signal: stop.signal, forget };
}
