import { type Attributes, ROOT_CONTEXT, type Span, type Tracer, trace } from '@opentelemetry/api';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { DecisionBody, RecordBody } from '../../core/record.ts';
import type { Phase } from '../../core/rollout.ts';

/** The part of a rollout's status that is traced. Times are wall-clock milliseconds. */
export type RolloutLook = {
  readonly id: string;
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  readonly phase: Phase['kind'];
  readonly step: { readonly number: number; readonly kind: string } | undefined;
  readonly why: string;
  readonly startedMs: number;
  readonly endedMs: number | undefined;
};

export type RolloutTracesOptions = {
  /** Undefined: no traces are sent. */
  readonly tracer: Tracer | undefined;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Takes an entry for the collector alone. */
  readonly emit: Log;
  /** Rollouts of all models, oldest first within each. */
  readonly rollouts: () => readonly RolloutLook[];
};

/** Records of a rollout often come in pairs; one look serves both. */
const LOOK_DELAY_MS = 250;

/** Of a reason, in characters. */
const WHY_MAX = 500;

/** Rollouts that are over and may still be told of. */
const ENDED_MAX = 100;

type Open = { readonly root: Span | undefined; part: Span | undefined; key: string };

/**
 * Rollouts as traces: a span for the whole, and one inside it for each step, pause or load, with an event in the log as each
 * begins. Looks at what the deciding side shows after it has recorded something. A rollout that outlives its gateway
 * is one trace in each process.
 */
export class RolloutTraces {
  readonly #options: RolloutTracesOptions;
  /** By rollout: those that are not over. */
  readonly #open = new Map<string, Open>();
  /** The newest of those that are over. */
  readonly #ended = new Map<string, Span>();
  #timer: NodeJS.Timeout | undefined;
  #isFirst = true;

  constructor(options: RolloutTracesOptions) {
    this.#options = options;
  }

  /** After each record of the ledger. Never throws. */
  readonly onRecord = (body: RecordBody): void => {
    if (body.kind === 'decision') {
      if (body.decision.action.kind === 'wait') return;
      this.#onDecision(body);
    }
    this.#timer ??= setTimeout(() => this.look(), LOOK_DELAY_MS).unref();
  };

  /** The span of a rollout that has begun here, or has ended of late. */
  readonly traceparentOf = (rolloutId: string): string | undefined => {
    const span = this.#open.get(rolloutId)?.root ?? this.#ended.get(rolloutId);
    if (span === undefined) return undefined;
    const { traceId, spanId } = span.spanContext();
    return `00-${traceId}-${spanId}-01`;
  };

  /** Ends what is open: the process stops before the rollouts do. */
  close(): void {
    clearTimeout(this.#timer);
    for (const { root, part } of this.#open.values()) {
      part?.end(this.#options.clock.wallMs());
      root?.setAttribute('understudy.rollout.interrupted', true);
      root?.end(this.#options.clock.wallMs());
    }
    this.#open.clear();
  }

  /** Compares all rollouts with what was seen of them before. */
  look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const rollout of this.#options.rollouts()) this.#lookAt(rollout);
    this.#isFirst = false;
  }

  #lookAt(rollout: RolloutLook): void {
    const { id, endedMs } = rollout;
    let open = this.#open.get(id);
    const key = keyOf(rollout);
    if (open === undefined) {
      // What ended before this process began, or has been traced, is over.
      if (endedMs !== undefined) return;
      open = { root: this.#begin(rollout), part: undefined, key: '' };
      this.#open.set(id, open);
    }
    if (open.key === key) return;
    const nowMs = endedMs ?? this.#options.clock.wallMs();
    open.part?.end(nowMs);
    open.key = key;
    this.#announce(rollout, open.root);
    if (endedMs === undefined) {
      open.part = this.#beginPart(rollout, open.root, nowMs);
      return;
    }
    open.root?.setAttribute('understudy.rollout.phase', rollout.phase);
    open.root?.setAttribute('understudy.rollout.why', rollout.why.slice(0, WHY_MAX));
    open.root?.end(endedMs);
    this.#open.delete(id);
    this.#keep(id, open.root);
  }

  /** The record of an end comes later than the look at it. */
  #keep(id: string, root: Span | undefined): void {
    if (root === undefined) return;
    this.#ended.set(id, root);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest);
  }

  #begin(rollout: RolloutLook): Span | undefined {
    return this.#options.tracer?.startSpan(
      `rollout ${rollout.model}`,
      {
        // Earlier steps of one that was running already belong to the process before.
        startTime: this.#isFirst ? this.#options.clock.wallMs() : rollout.startedMs,
        attributes: attributesOf(rollout),
      },
      ROOT_CONTEXT,
    );
  }

  #beginPart(rollout: RolloutLook, root: Span | undefined, startTime: number): Span | undefined {
    if (root === undefined) return undefined;
    const inside = trace.setSpan(ROOT_CONTEXT, root);
    const attributes = attributesOf(rollout);
    return this.#options.tracer?.startSpan(keyOf(rollout), { startTime, attributes }, inside);
  }

  #announce(rollout: RolloutLook, root: Span | undefined): void {
    const { id, why } = rollout;
    this.#options.emit({
      level: rollout.phase === 'rolledBack' ? 'warn' : 'info',
      message: `rollout ${id}: ${keyOf(rollout)}`,
      facts: {
        event: 'understudy.rollout.phase',
        why: why.slice(0, WHY_MAX),
        ...factsOf(rollout),
        ...spanFacts(root),
      },
    });
  }

  #onDecision({ rolloutId, decision, before }: DecisionBody): void {
    // What acts moves the rollout, so it has it.
    if (before === undefined) return;
    const { action, verdict } = decision;
    const { model, candidate } = before.spec;
    this.#options.emit({
      level: action.kind === 'rollBack' ? 'warn' : 'info',
      message: `rollout ${rolloutId}: ${action.kind}, because ${action.why.slice(0, WHY_MAX)}`,
      facts: {
        event: 'understudy.rollout.decision',
        rolloutId,
        ...{ model, candidate, action: action.kind, verdict: verdict.kind },
        ...spanFacts(this.#open.get(rolloutId)?.root),
      },
    });
  }
}

/** `step 2 analysis`, or the phase where there is no step. */
function keyOf({ phase, step }: RolloutLook): string {
  if (step === undefined) return phase;
  const name = `step ${step.number} ${step.kind}`;
  return phase === 'progressing' ? name : `${phase} in ${name}`;
}

function factsOf({ id, model, candidate, phase, step }: RolloutLook) {
  const facts = { rolloutId: id, model, candidate, phase };
  return step === undefined ? facts : { ...facts, step: step.number };
}

function attributesOf({ id, model, stable, candidate, phase, step }: RolloutLook): Attributes {
  return {
    'understudy.rollout.id': id,
    'model.name': model,
    'understudy.rollout.stable': stable,
    'understudy.rollout.candidate': candidate,
    'understudy.rollout.phase': phase,
    ...(step !== undefined && { 'understudy.rollout.step': step.number }),
  };
}

function spanFacts(span: Span | undefined) {
  if (span === undefined) return {};
  const { traceId, spanId } = span.spanContext();
  return { traceId, spanId };
}
