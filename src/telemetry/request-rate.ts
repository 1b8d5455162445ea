import type { Clock } from '../core/clock.ts';

/** The past counts less with every second: by 1/e after so many. */
const MEMORY_MS = 60_000;

/** Fewer requests than this are no rate yet. */
const REQUESTS_MIN = 20;

/** `weight`: each request weighs 1 when it comes, and fades; as of `atMs`. */
type Past = { readonly sinceMs: number; atMs: number; weight: number; requests: number };

/**
 * Requests a second of each model, as they have come lately: an exponentially weighted count. What has faded in since the
 * first request is set right by 1 - exp(-age / memory), so that a rate is told within seconds.
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

  /** Undefined while too few have come to say. */
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
