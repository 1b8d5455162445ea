import type { Clock } from '../core/clock.ts';

/** Time constant of the decay: a request's weight falls to 1/e in this time. */
const MEMORY_MS = 60_000;

/** With fewer requests the rate is undefined. */
const REQUESTS_MIN = 20;

/** `weight`: each request weighs 1 when it comes, and fades; as of `atMs`. */
type Past = { readonly sinceMs: number; atMs: number; weight: number; requests: number };

/**
 * The recent request rate of each model (requests per second): an exponentially weighted count, divided by
 * 1 - exp(-age / memory) while it is young, so that a rate is known within seconds.
 */
export class RequestRate {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #pasts = new Map<string, Past>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  count(model: string): void {
    const nowMs = this.#clock.monotonicMs();
    const past = this.#pasts.get(model);
    if (past === undefined) {
      this.#pasts.set(model, { sinceMs: nowMs, atMs: nowMs, weight: 0, requests: 0 });
      return;
    }
    past.weight = past.weight * faded(nowMs - past.atMs) + 1;
    past.atMs = nowMs;
    past.requests += 1;
  }

  /** Undefined below `REQUESTS_MIN` requests. */
  perSecond(model: string): number | undefined {
    const past = this.#pasts.get(model);
    if (past === undefined || past.requests < REQUESTS_MIN) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const weight = past.weight * faded(nowMs - past.atMs);
    return (weight * 1000) / (MEMORY_MS * (1 - faded(nowMs - past.sinceMs)));
  }
}

/** What is left of a weight after so long. */
function faded(ms: number): number {
  return Math.exp(-ms / MEMORY_MS);
}
