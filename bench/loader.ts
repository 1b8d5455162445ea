import { Generator } from '../src/load/engine/generator.ts';
import type { Arrivals } from '../src/load/nouns/arrivals.ts';
import type { LoadProgress, LoadReport } from '../src/load/nouns/load-report.ts';
import type { Aim } from './aim.ts';
import type { Effort } from './effort.ts';
import { type Loads, WARNINGS_KEPT } from './loads.ts';

/** One load of a suite. What is left out is large enough to play no part. */
export type Load = {
  readonly aim: Aim;
  readonly arrivals: Arrivals;
  readonly warmupMs: number;
  /** Without the warm-up. */
  readonly measuredMs: number;
  readonly inFlightMax: number;
  readonly deadlineMs?: number;
  readonly seed?: number;
};

const DEADLINE_MS = 5_000;
const TIMEOUT_MS = 20_000;
const EMPTY_AGAIN_MAX = 2;

/** The machine stalled for a whole block, so that the block says nothing about the server. */
export class NothingMeasured extends Error {}

/** The load generator as the suites use it: from one process, so that loads of all suites share the cores alike. */
export class Loader {
  readonly #generator = new Generator({ processes: 1 });
  readonly #print: (line: string) => void;
  #run = 0;
  readonly #warnings: string[] = [];

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Runs a load to its end. A load with warnings is printed and counted, and does not stop the suite. */
  async load(load: Load, watch?: (progress: LoadProgress) => void): Promise<LoadReport> {
    const report = await this.#generator.run(
      {
        ...load.aim,
        arrivals: load.arrivals,
        inFlightMax: load.inFlightMax,
        durationMs: load.warmupMs + load.measuredMs,
        warmupMs: load.warmupMs,
        deadlineMs: load.deadlineMs ?? DEADLINE_MS,
        timeoutMs: TIMEOUT_MS,
        seed: load.seed ?? 1,
      },
      watch,
    );
    this.#run += 1;
    const [warning] = report.warnings;
    if (warning !== undefined) {
      this.#warnings.push(warning);
      this.#print(`warning: ${warning}`);
    }
    return report;
  }

  /**
   * One block of a closed loop. Returns answers per second; throws unless all requests were answered with success. A block in
   * whose measured part nothing began is run again, and is `NothingMeasured` where that does not help.
   */
  async closedRate(
    aim: Aim,
    { effort, inFlight }: { readonly effort: Effort; readonly inFlight: number },
  ): Promise<number> {
    const block: Load = {
      aim,
      arrivals: { kind: 'closed', concurrency: inFlight },
      inFlightMax: inFlight,
      warmupMs: effort.warmupMs,
      measuredMs: effort.blockMs,
    };
    let report = await this.load(block);
    for (let again = 0; again < EMPTY_AGAIN_MAX && report.measured.offered === 0; again += 1)
      report = await this.load(block);
    expectAllAnswered(report);
    return report.answersPerSecond;
  }

  get loads(): Loads {
    return {
      run: this.#run,
      withWarnings: this.#warnings.length,
      warnings: this.#warnings.slice(0, WARNINGS_KEPT),
    };
  }

  close(): void {
    this.#generator.close();
  }
}

/** A rate of refusals is no throughput. Throws `NothingMeasured` where nothing was asked. */
export function expectAllAnswered({ measured }: LoadReport): void {
  const { ok, offered, errors } = measured;
  if (offered === 0) throw new NothingMeasured('no request began within a block');
  if (ok === offered) return;
  throw new Error(
    `expected ${offered} answers with success, found ${ok}; the others: ${JSON.stringify(errors)}`,
  );
}
