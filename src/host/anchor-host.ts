import { type Clock, TIMER_MS_MAX } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { InferRequest } from '../core/infer.ts';
import type { Observation } from '../core/outcome.ts';
import type { VersionState } from '../core/version.ts';
import type { Host } from './host.ts';

export type AnchorHostOptions = {
  /** Resolves when it is ready; rejects with why it cannot serve, or once the signal says that it is no longer wanted. */
  readonly start: (signal: AbortSignal) => Promise<Pick<Host, 'infer' | 'state' | 'close'>>;
  readonly clock: Clock;
};

/** Copies that it has at a time; further ones come to no answer of the anchor. */
const IN_FLIGHT_MAX = 64;

/** After an answer that did not come, or a load that failed, it is left alone for so long. */
const PAUSE_MS = 10_000;
const RETRY_MS = 60_000;

/** The process holds or refuses the request for reasons that are not the model's. */
const NOT_RUN: ReadonlySet<string> = new Set(['overloaded', 'version_not_ready', 'cancelled']);

/**
 * The anchor beside a shadow host, in a process of its own: what the anchor does wrong, or how long it takes, can never count
 * against the candidate. It is there as far as it can be: a pair without its answer is a pair like any other.
 */
export class AnchorHost {
  readonly #options: AnchorHostOptions;
  readonly #end = new AbortController();
  #host: Pick<Host, 'infer' | 'state' | 'close'> | undefined;
  #starting: Promise<void> | undefined;
  #fault: string | undefined;
  #inFlight = 0;
  #restingUntilMs = Number.NEGATIVE_INFINITY;

  /** Begins to load. */
  constructor(options: AnchorHostOptions) {
    this.#options = options;
    this.#start();
  }

  /**
   * What the anchor answers. A model that fails is an answer of its kind; undefined: it was not asked, as it is not there, or full.
   * Settles by the request's deadline, and never rejects.
   */
  async answer(request: InferRequest): Promise<Observation | undefined> {
    const host = this.#host;
    const { clock } = this.#options;
    if (this.#end.signal.aborted || clock.monotonicMs() < this.#restingUntilMs) return undefined;
    if (host === undefined) this.#start();
    if (host?.state().kind !== 'ready' || this.#inFlight >= IN_FLIGHT_MAX) return undefined;
    this.#inFlight += 1;
    const patience = new AbortController();
    const leftMs = Math.min(Math.ceil(request.deadlineMs - clock.monotonicMs()), TIMER_MS_MAX);
    const timer = setTimeout(() => patience.abort(), leftMs);
    try {
      const { outputs, nonFinite, timing } = await host.infer(request, patience.signal);
      return { kind: 'answer', outputs, computeMs: timing.computeMs, nonFinite };
    } catch (thrown) {
      return this.#failureOf(ServeError.from(thrown), patience.signal.aborted);
    } finally {
      clearTimeout(timer);
      this.#inFlight -= 1;
    }
  }

  state(): VersionState {
    if (this.#fault !== undefined) return { kind: 'failed', reason: this.#fault };
    return this.#host?.state() ?? { kind: 'loading' };
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#starting;
    await this.#host?.close();
  }

  #failureOf({ code, message }: ServeError, isLate: boolean): Observation | undefined {
    if (isLate || code === 'deadline_exceeded' || code === 'host_lost') {
      this.#restingUntilMs = this.#options.clock.monotonicMs() + PAUSE_MS;
      return { kind: 'failure', code: isLate ? 'deadline_exceeded' : code, message };
    }
    return NOT_RUN.has(code) ? undefined : { kind: 'failure', code, message };
  }

  #start(): void {
    if (this.#starting !== undefined) return;
    this.#fault = undefined;
    this.#starting = this.#options.start(this.#end.signal).then(
      (host) => {
        this.#host = host;
      },
      (error: unknown) => {
        this.#fault = messageOf(error);
        this.#restingUntilMs = this.#options.clock.monotonicMs() + RETRY_MS;
        this.#starting = undefined;
      },
    );
  }
}
