import type { Random } from '../core/random.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Answer, Work } from '../core/work.ts';
import type { JoinedRun } from './batcher.ts';
import { differenceOf, scalesOf } from './same-answer.ts';
import type { RunBatch } from './work.ts';

/** One joined request in so many is run again alone. */
const EVERY_REQUESTS = 10_000;
/** Bytes of inputs that a request under recheck may keep in memory; a larger one is not drawn. */
const INPUT_BYTES_MAX = 64 * 1024 * 1024;

export type RecheckOptions = {
  readonly random: Random;
  /** Runs what no caller waits for. */
  readonly runSpare: RunBatch;
  readonly onRecheck: (outcome: RecheckOutcome) => void;
  /** One joined request in so many, on average. Default: 10,000. */
  readonly everyRequests?: number | undefined;
};

/** What a request gets alone is what it got among others, or is not. */
export type RecheckOutcome =
  | { readonly kind: 'same' }
  | { readonly kind: 'different'; readonly source: number; readonly example: JoinExample };

/** A request that got another answer among others than alone. */
export type JoinExample = {
  readonly requestId: string;
  /** What differs, in words. */
  readonly difference: string;
  /** Rows and place of the run that it shared. */
  readonly rows: number;
  readonly inputs: readonly Tensor[];
};

/**
 * Runs a sample of joined requests again alone, off the live path, for as long as requests are joined: a probe before the first
 * request cannot see a branch that only rare data takes. One at a time; requests that are drawn meanwhile are passed over.
 */
export class Recheck {
  readonly #options: RecheckOptions;
  readonly #every: number;
  #untilNext: number;
  #isBusy = false;

  constructor(options: RecheckOptions) {
    this.#options = options;
    this.#every = options.everyRequests ?? EVERY_REQUESTS;
    this.#untilNext = this.#draw();
  }

  /** Must be called for every run that requests shared. */
  offer(run: JoinedRun): void {
    const { works, answers } = run;
    this.#untilNext -= works.length;
    if (this.#untilNext > 0) return;
    this.#untilNext = this.#draw();
    const at = this.#options.random.integer(works.length);
    const [work, answer] = [works[at], answers[at]];
    if (this.#isBusy || work === undefined || answer === undefined) return;
    const bytes = work.inputs.reduce((sum, { data }) => sum + data.byteLength, 0);
    if (bytes > INPUT_BYTES_MAX) return;
    void this.#check(run, work, answer);
  }

  async #check({ plan, answers }: JoinedRun, work: Work, answer: Answer): Promise<void> {
    this.#isBusy = true;
    try {
      const { runs } = await this.#options.runSpare(work.inputs, plan);
      for (const [at, source] of plan.entries()) {
        const [alone, joined] = [runs[at], answer.runs[at]];
        if (alone?.kind !== 'answer' || joined?.kind !== 'answer') continue;
        const wanted = joined.outputs.flatMap(({ name }) =>
          alone.outputs.filter((output) => output.name === name).slice(0, 1),
        );
        const difference = differenceOf(wanted, joined.outputs, scalesOfAll(answers, at));
        if (difference === undefined) continue;
        this.#report(source, {
          requestId: work.id,
          difference,
          rows: answer.batch.rows,
          inputs: work.inputs,
        });
        return;
      }
      this.#options.onRecheck({ kind: 'same' });
    } catch {
      // The version is being unloaded, or has other things to do: the next one that is drawn will do.
    } finally {
      this.#isBusy = false;
    }
  }

  #report(source: number, example: JoinExample): void {
    this.#options.onRecheck({ kind: 'different', source, example });
  }

  /** Requests until the next draw: uniform, so that no rhythm of the callers is met. */
  #draw(): number {
    return 1 + this.#options.random.integer(2 * this.#every - 1);
  }
}

/** The largest |y| of each output over all requests of the run. */
function scalesOfAll(answers: readonly Answer[], at: number): readonly number[] {
  const scales: number[] = [];
  for (const { runs } of answers) {
    const run = runs[at];
    if (run?.kind !== 'answer') continue;
    scalesOf(run.outputs).forEach((scale, output) => {
      scales[output] = Math.max(scales[output] ?? 0, scale);
    });
  }
  return scales;
}
