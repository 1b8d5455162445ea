import { systemClock } from '../../core/clock.ts';
import type { Arrivals } from '../nouns/arrivals.ts';
import type { LoadProgress, LoadReport } from '../nouns/load-report.ts';
import type { LoadPlan } from '../nouns/plan.ts';
import { GeneratorProcess } from './generator-process.ts';
import { type Pulse, progressOf } from './pulse.ts';
import { reportOf } from './share.ts';

/** Between the agreement on a start and the start: more than a message takes. */
const START_MS = 50;

/**
 * A load generator in processes of its own, which share each load: of the one schedule that the seed fixes, every process sends
 * every n-th request, so that the requests and their moments are the same however many there are. One load at a time.
 */
export class Generator {
  readonly #processes: readonly GeneratorProcess[];
  #busy = false;

  constructor({ processes = 1 }: { readonly processes?: number } = {}) {
    if (!(Number.isInteger(processes) && processes > 0))
      throw new RangeError(`expected one or more processes, found ${processes}`);
    this.#processes = Array.from({ length: processes }, () => new GeneratorProcess());
  }

  /**
   * Runs one load. `watch` is called about five times a second. With `signal` it ends early, and is reported as far as it
   * came. Rejects with the words of a process that could not run it, or that has died: a
   * generator that has lost a process runs no more loads.
   */
  async run(
    plan: LoadPlan,
    watch?: (progress: LoadProgress) => void,
    signal?: AbortSignal,
  ): Promise<LoadReport> {
    if (this.#busy) throw new Error('a generator runs one load at a time');
    if (plan.requests.length === 0)
      throw new RangeError('expected one or more requests, found none');
    this.#busy = true;
    try {
      return await this.#run(plan, watch, signal);
    } finally {
      this.#busy = false;
    }
  }

  close(): void {
    for (const one of this.#processes) one.close();
  }

  async #run(
    plan: LoadPlan,
    watch: ((progress: LoadProgress) => void) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<LoadReport> {
    const parts = divide(plan, this.#processes.length);
    const workers = this.#processes.slice(0, parts.length);
    const onPulse = watch && mergePulses(parts.length, (pulses) => watch(progressOf(pulses, plan)));
    const works = workers.map((worker, at) =>
      worker.run(
        { plan: parts[at] ?? plan, of: parts.length, at, isWatched: watch !== undefined },
        (pulse) => onPulse?.(at, pulse),
      ),
    );
    const shares = Promise.all(works.map((work) => work.share));
    const begin = (): void => {
      const wallMs = systemClock.wallMs() + START_MS;
      for (const worker of workers) worker.begin(wallMs);
    };
    const end = (): void => {
      for (const worker of workers) worker.end();
    };
    signal?.addEventListener('abort', end);
    try {
      // Where one fails, its share is the first to say so.
      await Promise.race([Promise.all(works.map((work) => work.ready)), shares]);
      if (signal?.aborted) end();
      begin();
      return reportOf(plan, await shares);
    } catch (error) {
      // The others are rid of the load too, so that the next one finds them free.
      end();
      begin();
      await Promise.allSettled(works.map((work) => work.share));
      throw error;
    } finally {
      signal?.removeEventListener('abort', end);
    }
  }
}

/** The plans of as many processes as have something to do: the requests in flight are divided. */
function divide(plan: LoadPlan, processes: number): readonly LoadPlan[] {
  const { arrivals, inFlightMax } = plan;
  const inFlight = arrivals.kind === 'closed' ? arrivals.concurrency : inFlightMax;
  if (!(Number.isInteger(inFlight) && inFlight > 0))
    throw new RangeError(`expected room for one or more requests in flight, found ${inFlight}`);
  const of = Math.min(processes, inFlight);
  return Array.from({ length: of }, (_, at) => {
    const own = Math.floor(inFlight / of) + (at < inFlight % of ? 1 : 0);
    return { ...plan, inFlightMax: own, arrivals: withConcurrency(arrivals, own) };
  });
}

function withConcurrency(arrivals: Arrivals, concurrency: number): Arrivals {
  return arrivals.kind === 'closed' ? { kind: 'closed', concurrency } : arrivals;
}

/** Passes on the pulses of all processes together; of those that still send any, once others have nothing more to do. */
function mergePulses(
  processes: number,
  notify: (pulses: readonly Pulse[]) => void,
): (at: number, pulse: Pulse) => void {
  const pulses = new Map<number, Pulse>();
  const notifyAll = (): void => {
    notify([...pulses.values()]);
    pulses.clear();
  };
  return (at, pulse) => {
    if (pulses.has(at)) notifyAll();
    pulses.set(at, pulse);
    if (pulses.size === processes) notifyAll();
  };
}
