import { type Link, ROOT_CONTEXT, type Tracer } from '@opentelemetry/api';
import type { InferResponse } from '../../core/infer.ts';

/** Batches that are remembered: requests of one batch end within a few milliseconds of each other. */
const BATCHES_MAX = 1_024;

export type TracedRun = {
  readonly response: InferResponse;
  readonly arm: string;
  /** Milliseconds of the wall clock. */
  readonly startedMs: number;
  readonly endedMs: number;
};

/**
 * One span for each batch that traced requests shared, in a trace of its own: it belongs to no single request, so each links to
 * it. The first of them to end draws it.
 */
export class BatchSpans {
  readonly #tracer: Tracer;
  /** Oldest first. */
  readonly #links = new Map<string, Link>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Undefined: the request had the run to itself, so its own span says all. */
  linkTo(run: TracedRun): Link | undefined {
    const { model, version, outputs, batch } = run.response;
    const isShared = batch.rows > (outputs[0]?.shape[0] ?? batch.rows);
    if (!isShared) return undefined;
    const key = `${model}\0${version}\0${run.arm}\0${batch.id}`;
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link = this.#draw(run);
    this.#links.set(key, link);
    if (this.#links.size > BATCHES_MAX) {
      const [oldest = key] = this.#links.keys();
      this.#links.delete(oldest);
    }
    return link;
  }

  #draw({ response, arm, startedMs, endedMs }: TracedRun): Link {
    const span = this.#tracer.startSpan(
      'batch',
      {
        startTime: startedMs,
        attributes: {
          'model.name': response.model,
          'model.version': response.version,
          'understudy.arm': arm,
          'understudy.batch.id': response.batch.id,
          'understudy.batch.rows': response.batch.rows,
        },
      },
      ROOT_CONTEXT,
    );
    span.end(endedMs);
    return { context: span.spanContext() };
  }
}
