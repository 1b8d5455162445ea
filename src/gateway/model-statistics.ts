import type { Clock } from '../core/clock.ts';
import type { InferResponse } from '../core/infer.ts';
import { CALLER_CODES, type Fallback, type Outcome, type Tap } from '../core/outcome.ts';
import { compareVersions, type ModelVersion } from '../core/version.ts';

/** How often something happened, and how long it took in all. */
export type Tally = { readonly count: number; readonly ms: number };

/** What one version has done since it was first loaded, as the protocol's statistics count it. */
export type VersionStatistics = {
  readonly model: string;
  readonly version: string;
  /** Wall clock of the last request that was answered; 0: none. */
  readonly lastInferenceMs: number;
  /** Rows of all answered requests. */
  readonly inferences: number;
  /** Runs of the model. */
  readonly executions: number;
  /** Requests that were answered, admission to answer. */
  readonly success: Tally;
  /** Requests that failed, admission to failure. */
  readonly failure: Tally;
  /** Of the answered: waiting for a replica. */
  readonly queue: Tally;
  /** Of the answered: the run of the batch that they were part of. */
  readonly compute: Tally;
  /** Runs by the rows that they had. */
  readonly batches: readonly { readonly rows: number; readonly compute: Tally }[];
};

export type StatisticsOptions = {
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Whether the first dimension of a version's outputs counts rows. */
  readonly hasRows: (target: ModelVersion) => boolean;
};

/** One run, as a live host reports it. */
type Batch = { readonly rows: number; readonly computeMs: number };

/**
 * Counts what live versions do, for the protocol's statistics. A request counts where it was assigned, by split, rule or pin. A
 * request that failed in an arm on trial and was answered by stable instead is a failure there and a success of stable: both
 * ran it. Failures that are the caller's doing, or the caller's absence, are no version's and count nowhere.
 */
export class ModelStatistics {
  readonly #options: StatisticsOptions;
  /** By model, then by version: as many as have ever been loaded. */
  readonly #counters = new Map<string, Map<string, VersionCounter>>();

  constructor(options: StatisticsOptions) {
    this.#options = options;
  }

  /** For the gateway. One permanent watcher per version, so that a request allocates nothing here. */
  readonly tap: Tap = ({ model }, { version }) => this.#counter(model, version).watch;

  /** For the gateway: stable's answer to a request that fell back counts as a success of stable. */
  readonly onFallback = ({ answer, totalMs }: Pick<Fallback, 'answer' | 'totalMs'>): void => {
    if (answer === undefined) return;
    this.#counters.get(answer.model)?.get(answer.version)?.answered(answer, totalMs);
  };

  /** For live hosts, once they are ready. Late runs of a removed version do not bring it back. */
  readonly onBatch = ({ model, version }: ModelVersion, batch: Batch): void => {
    this.#counters.get(model)?.get(version)?.ran(batch);
  };

  /** For live hosts: from here on the version has statistics, if only zeros. */
  readonly onReady = ({ model, version }: ModelVersion): void => {
    this.#counter(model, version);
  };

  /** Of all versions, of a model's, or of one, by model and version. */
  list(model?: string, version?: string): readonly VersionStatistics[] {
    const models = model === undefined ? [...this.#counters.keys()].sort() : [model];
    return models.flatMap((name) => {
      const counters = this.#counters.get(name) ?? new Map<string, VersionCounter>();
      return [...counters.keys()]
        .filter((each) => version === undefined || each === version)
        .sort(compareVersions)
        .flatMap((each) => counters.get(each)?.snapshot({ model: name, version: each }) ?? []);
    });
  }

  /** Forgets removed versions. */
  retain(model: string, versions: ReadonlySet<string>): void {
    const counters = this.#counters.get(model);
    for (const version of counters?.keys() ?? [])
      if (!versions.has(version)) counters?.delete(version);
  }

  #counter(model: string, version: string): VersionCounter {
    let counters = this.#counters.get(model);
    if (counters === undefined) {
      counters = new Map();
      this.#counters.set(model, counters);
    }
    let counter = counters.get(version);
    if (counter === undefined) {
      const { clock, hasRows } = this.#options;
      counter = new VersionCounter(clock, () => hasRows({ model, version }));
      counters.set(version, counter);
    }
    return counter;
  }
}

/** The most rows that a configuration lets a run have; runs of more are counted, and not by their size. */
const BATCH_ROWS_MAX = 4_096;

class VersionCounter {
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #hasRows: () => boolean;
  readonly #success = new Sum();
  readonly #failure = new Sum();
  readonly #queue = new Sum();
  readonly #compute = new Sum();
  /** By rows. */
  readonly #batches = new Map<number, Sum>();
  #lastInferenceMs = 0;
  #inferences = 0;
  #executions = 0;

  constructor(clock: Pick<Clock, 'wallMs'>, hasRows: () => boolean) {
    this.#clock = clock;
    this.#hasRows = hasRows;
  }

  readonly watch = (outcome: Outcome): void => {
    const totalMs = outcome.endedMs - outcome.startedMs;
    if (outcome.kind === 'answer') this.answered(outcome.response, totalMs);
    else if (!CALLER_CODES.has(outcome.code)) this.#failure.add(totalMs);
  };

  answered({ outputs, timing }: InferResponse, totalMs: number): void {
    this.#lastInferenceMs = this.#clock.wallMs();
    this.#inferences += this.#hasRows() ? (outputs[0]?.shape[0] ?? 1) : 1;
    this.#success.add(totalMs);
    this.#queue.add(timing.queueMs);
    this.#compute.add(timing.computeMs);
  }

  ran({ rows, computeMs }: Batch): void {
    this.#executions += 1;
    if (rows > BATCH_ROWS_MAX) return;
    let sum = this.#batches.get(rows);
    if (sum === undefined) {
      sum = new Sum();
      this.#batches.set(rows, sum);
    }
    sum.add(computeMs);
  }

  snapshot(target: ModelVersion): VersionStatistics {
    return {
      ...target,
      lastInferenceMs: this.#lastInferenceMs,
      inferences: this.#inferences,
      executions: this.#executions,
      success: this.#success.tally(),
      failure: this.#failure.tally(),
      queue: this.#queue.tally(),
      compute: this.#compute.tally(),
      batches: [...this.#batches]
        .sort(([a], [b]) => a - b)
        .map(([rows, sum]) => ({ rows, compute: sum.tally() })),
    };
  }
}

class Sum {
  #count = 0;
  #ms = 0;

  add(ms: number): void {
    this.#count += 1;
    this.#ms += ms;
  }

  tally(): Tally {
    return { count: this.#count, ms: this.#ms };
  }
}
