import { ROOT_CONTEXT, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Clock } from '../../core/clock.ts';
import { ServeError } from '../../core/errors.ts';
import type { InferRequest } from '../../core/infer.ts';
import type { Observation } from '../../core/outcome.ts';
import { isRecorded } from '../../core/traceparent.ts';
import type { ModelVersion } from '../../core/version.ts';
import { linkTo } from './request-traces.ts';

/** The part of a shadow host that is traced. */
export type ShadowRunner = {
  readonly run: (request: InferRequest, plan: ShadowPlan) => Promise<ShadowRun>;
};

type ShadowPlan = { readonly twin: boolean; readonly candidateFirst: boolean };
type ShadowRun = { readonly candidate: Observation; readonly twin: Observation | undefined };

export type ShadowTracesOptions = {
  readonly tracer: Tracer;
  readonly clock: Clock;
  /** As of the traces of requests. */
  readonly hasRoom: () => boolean;
};

/**
 * Traces runs in shadow hosts, of copies of traced requests. The live answer is out before its copy runs, so the span is in a
 * trace of its own and links to the live request: as a child it would make the caller's trace longer than the call was.
 */
export class ShadowTraces {
  readonly #options: ShadowTracesOptions;
  readonly #wrapped = new WeakMap<object, object>();

  constructor(options: ShadowTracesOptions) {
    this.#options = options;
  }

  /** The same host, traced. */
  wrap<Host extends ShadowRunner>(host: Host, target: ModelVersion): Host {
    const known = this.#wrapped.get(host);
    if (known !== undefined) return known as Host;
    const run: Host['run'] = (request, plan) => {
      const { traceparent } = request;
      if (traceparent === undefined || !isRecorded(traceparent)) return host.run(request, plan);
      if (!this.#options.hasRoom()) return host.run(request, plan);
      return this.#traced({ request, plan, target, traceparent }, () => host.run(request, plan));
    };
    const wrapped: Host = { ...host, run };
    this.#wrapped.set(host, wrapped);
    return wrapped;
  }

  async #traced<Run extends ShadowRun>(copy: Copy, run: () => Promise<Run>): Promise<Run> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const result = await run();
      this.#draw(copy, { startedMs, endedMs: clock.monotonicMs(), result });
      return result;
    } catch (thrown) {
      const { code } = ServeError.from(thrown);
      this.#draw(copy, { startedMs, endedMs: clock.monotonicMs(), code });
      throw thrown;
    }
  }

  #draw({ request, plan, target, traceparent }: Copy, { startedMs, endedMs, ...end }: Ended): void {
    const { tracer, clock } = this.#options;
    const aheadMs = clock.wallMs() - clock.monotonicMs();
    const span = tracer.startSpan(
      'shadow',
      {
        startTime: startedMs + aheadMs,
        links: [linkTo(traceparent)],
        attributes: {
          'model.name': target.model,
          'model.version': target.version,
          'understudy.arm': 'shadow',
          'understudy.request.id': request.id,
          'understudy.shadow.twin': plan.twin,
        },
      },
      ROOT_CONTEXT,
    );
    if (end.code !== undefined) {
      span.setAttribute('error.type', end.code);
      span.setStatus({ code: SpanStatusCode.ERROR, message: end.code });
    }
    const inside = trace.setSpan(ROOT_CONTEXT, span);
    const { candidate, twin } = end.result ?? {};
    const runs = [
      { name: 'compute candidate', run: candidate },
      { name: 'compute twin', run: twin },
    ];
    if (!plan.candidateFirst) runs.reverse();
    const tookMs = runs.reduce((sum, { run }) => sum + computeMsOf(run), 0);
    // Run back to back, in the middle of the time that the answer took.
    let atMs = endedMs - Math.max(0, endedMs - startedMs - tookMs) / 2 - tookMs + aheadMs;
    for (const { name, run } of runs) {
      if (run === undefined) continue;
      const child = tracer.startSpan(name, { startTime: atMs }, inside);
      atMs += computeMsOf(run);
      if (run.kind === 'failure') {
        child.setAttribute('error.type', run.code);
        child.setStatus({ code: SpanStatusCode.ERROR, message: run.code });
      }
      child.end(atMs);
    }
    span.end(endedMs + aheadMs);
  }
}

type Copy = {
  readonly request: InferRequest;
  readonly plan: ShadowPlan;
  readonly target: ModelVersion;
  readonly traceparent: string;
};

type Ended = {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly result?: ShadowRun;
  readonly code?: string;
};

function computeMsOf(run: Observation | undefined): number {
  return run?.kind === 'answer' ? run.computeMs : 0;
}
