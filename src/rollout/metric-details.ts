import { createTimeSlicer, runSlicedSteps, type TimeSlicer } from '../concurrency/time-slicer.ts';
import type { Evidence } from '../core/evidence.ts';
import type { MetricDetail } from '../core/metric-detail.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import type { Verdict } from '../core/verdict.ts';
import { metricDetail } from '../decide/metric-detail.ts';
import { reportedDetail, reportedMetrics } from '../decide/reported-slices.ts';

/** The verdict that details are of, with what it was reached on. */
export type Detailed = {
  readonly rolloutId: string;
  readonly spec: RolloutSpec;
  readonly evidence: Evidence;
  readonly verdict: Verdict;
};

type Details = {
  /** Of each metric of the verdict, in its order. */
  readonly metrics: readonly MetricDetail[];
  /** Of each slice that is only reported, in the order of the specification. */
  readonly reported: readonly MetricDetail[];
};

type Entry = {
  readonly rolloutId: string;
  readonly verdict: Verdict;
  readonly details: Promise<Details>;
  /** The newest of this rollout that are there; undefined: none are. */
  latest: Details | undefined;
  isDone: boolean;
};

/**
 * Details of the latest rollout of each model. They take as long as some hundred looks, so they are computed only for a status that
 * is asked for, one verdict of a rollout at a time, in slices between live requests.
 */
export class MetricDetails {
  readonly #onInternalError: (operation: string, error: unknown) => void;
  readonly #slicer: TimeSlicer;
  readonly #entries = new Map<string, Entry>();

  constructor(
    onInternalError: (operation: string, error: unknown) => void,
    slicer = createTimeSlicer(),
  ) {
    this.#onInternalError = onInternalError;
    this.#slicer = slicer;
  }

  /** The newest that are there, of this verdict or of one before. Begins with those of this one. */
  known(asked: Detailed): Details {
    void this.of(asked);
    return this.#entryOf(asked)?.latest ?? NONE;
  }

  /** Those of this verdict, or where another one is under way, of that. Never rejects: details that fail are left out. */
  of(asked: Detailed): Promise<Details> {
    const present = this.#entryOf(asked);
    const isEnough =
      present !== undefined && !(present.isDone && present.verdict !== asked.verdict);
    if (isEnough) return present.details;
    const { rolloutId, verdict } = asked;
    const entry: Entry = {
      ...{ rolloutId, verdict },
      details: this.#compute(asked).then((details) => {
        entry.isDone = true;
        entry.latest = details;
        return details;
      }),
      latest: present?.latest,
      isDone: false,
    };
    this.#entries.set(asked.spec.model, entry);
    return entry.details;
  }

  #entryOf({ spec, rolloutId }: Detailed): Entry | undefined {
    const entry = this.#entries.get(spec.model);
    return entry?.rolloutId === rolloutId ? entry : undefined;
  }

  async #compute({ spec, evidence, verdict }: Detailed): Promise<Details> {
    try {
      const [metrics, reported]: [MetricDetail[], MetricDetail[]] = [[], []];
      for (const status of verdict.metrics) {
        const steps = metricDetail({ evidence, spec, status });
        metrics.push(await runSlicedSteps(steps, this.#slicer));
      }
      for (const metric of reportedMetrics(evidence, spec)) {
        const steps = reportedDetail(evidence, spec, metric);
        reported.push(await runSlicedSteps(steps, this.#slicer));
      }
      return { metrics, reported };
    } catch (error) {
      this.#onInternalError('metric details', error);
      return NONE;
    }
  }
}

const NONE: Details = { metrics: [], reported: [] };
