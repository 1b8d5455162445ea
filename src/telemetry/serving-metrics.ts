import { Counter, Gauge, type Registry } from 'prom-client';

import type { Clock } from '../core/clock.ts';
import type { ServeErrorCode } from '../core/errors.ts';
import type { Fallback, Outcome, Tap } from '../core/outcome.ts';
import { idsOf, isRecorded } from '../core/traceparent.ts';
import { BoundHistogram } from './bound-histogram.ts';
import { LATENCY_BUCKETS } from './buckets.ts';

const PER_VERSION = ['model', 'version', 'role'] as const;

/** `traceparent`: of a request whose trace is recorded. */
type Watcher = (outcome: Outcome, traceparent?: string) => void;

/** Live requests: how many, their outcomes, and three durations: in the queue, of the batch, and in total. */
export class ServingMetrics {
  readonly #requests: Counter<'model' | 'version' | 'role' | 'outcome'>;
  readonly #refused: Counter<'model' | 'code'>;
  readonly #fallbacks: Counter<'model' | 'version' | 'role' | 'code'>;
  readonly #queue: BoundHistogram<(typeof PER_VERSION)[number]>;
  readonly #compute: BoundHistogram<(typeof PER_VERSION)[number]>;
  readonly #total: BoundHistogram<(typeof PER_VERSION)[number]>;
  /** One permanent watcher per model, version and role, so that a request allocates nothing here. */
  readonly #watchers = new Map<string, Watcher>();
  readonly #clock: Pick<Clock, 'wallMs'>;
  /** Add the answers since the last scrape to their counter, which hashes its labels each time. */
  readonly #settleAnswers: (() => void)[] = [];

  constructor(
    registry: Registry,
    { clock, inFlight }: { readonly clock: Pick<Clock, 'wallMs'>; readonly inFlight: () => number },
  ) {
    this.#clock = clock;
    const registers = [registry];
    const settleAnswers = this.#settleAnswers;
    this.#requests = new Counter({
      name: 'understudy_requests_total',
      help: 'Live requests assigned to a version, by outcome: ok or the error code',
      labelNames: [...PER_VERSION, 'outcome'],
      registers,
      collect() {
        for (const settle of settleAnswers) settle();
      },
    });
    this.#refused = new Counter({
      name: 'understudy_refused_requests_total',
      help: 'Requests refused before they were assigned to a version, by error code; model is empty where unknown',
      labelNames: ['model', 'code'],
      registers,
    });
    this.#fallbacks = new Counter({
      name: 'understudy_fallbacks_total',
      help: 'Requests that failed on candidate or control and fell back to stable, by the failed arm and its error code',
      labelNames: [...PER_VERSION, 'code'],
      registers,
    });
    const latency = { labelNames: PER_VERSION, buckets: LATENCY_BUCKETS, registers };
    this.#queue = new BoundHistogram({
      name: 'understudy_request_queue_duration_seconds',
      help: 'Time that an answered live request spent in the queue',
      ...latency,
    });
    this.#compute = new BoundHistogram({
      name: 'understudy_request_compute_duration_seconds',
      help: 'Compute time of the batch that an answered live request was part of',
      ...latency,
    });
    this.#total = new BoundHistogram({
      name: 'understudy_request_duration_seconds',
      help: 'Time from the admission of a live request to its answer, at the gateway',
      ...latency,
    });
    new Gauge({
      name: 'understudy_requests_in_flight',
      help: 'Live requests in flight',
      registers,
      collect() {
        this.set(inFlight());
      },
    });
  }

  readonly tap: Tap = (request, { version, arm }) => {
    const key = `${request.model}\0${version}\0${arm}`;
    let watcher = this.#watchers.get(key);
    if (watcher === undefined) {
      watcher = this.#watcherFor({ model: request.model, version, role: arm });
      this.#watchers.set(key, watcher);
    }
    const { traceparent } = request;
    if (traceparent === undefined || !isRecorded(traceparent)) return watcher;
    const traced = watcher;
    return (outcome) => traced(outcome, traceparent);
  };

  /** `model` is undefined where the name is unknown: a label that callers choose would be a new series for each name. */
  readonly onRefused = (model: string | undefined, code: ServeErrorCode): void => {
    this.#refused.inc({ model: model ?? '', code });
  };

  readonly onFallback = ({ model, failed, code }: Fallback): void => {
    this.#fallbacks.inc({ model, version: failed.version, role: failed.arm, code });
  };

  #watcherFor(labels: Record<(typeof PER_VERSION)[number], string>): Watcher {
    const ok = this.#requests.labels({ ...labels, outcome: 'ok' });
    let answers = 0;
    this.#settleAnswers.push(() => {
      if (answers > 0) ok.inc(answers);
      answers = 0;
    });
    const queue = this.#queue.series(labels);
    const compute = this.#compute.series(labels);
    const total = this.#total.series(labels);
    return (outcome, traceparent) => {
      if (outcome.kind === 'failure') {
        this.#requests.inc({ ...labels, outcome: outcome.code });
        return;
      }
      const { timing } = outcome.response;
      answers += 1;
      queue.observe(timing.queueMs / 1_000);
      compute.observe(timing.computeMs / 1_000);
      const seconds = (outcome.endedMs - outcome.startedMs) / 1_000;
      if (traceparent === undefined) total.observe(seconds);
      else total.observe(seconds, { ...idsOf(traceparent), atMs: this.#clock.wallMs() });
    };
  }
}
