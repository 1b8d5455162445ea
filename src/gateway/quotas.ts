import type { Clock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import {
  type QuotaHold,
  type QuotaReason,
  type QuotaRule,
  type Quotas,
  ruleFor,
} from '../core/quota.ts';
import { type BucketRate, TokenBucket } from '../core/token-bucket.ts';

export type QuotaOptions = {
  /** The rules in force, read at each request: another list means that they have changed. */
  readonly rules: () => readonly QuotaRule[];
  /** Whether there is a model of this name: all other names count as one, since callers may invent any number of them. */
  readonly isModel: (model: string) => boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Called for each request that is refused. */
  readonly onRefused: (model: string, reason: QuotaReason) => void;
  /** Pairs of caller and model that are remembered; by default 10,000. */
  readonly pairsMax?: number;
};

const PAIRS_MAX = 10_000;

/** Pairs that are looked at for one that can be forgotten. */
const LOOKS_MAX = 64;

/** When to try again where a request in flight has to end first: as for a full queue. */
const CONCURRENCY_RETRY_MS = 1_000;

/**
 * A token bucket and a count of the requests in flight for each pair of caller and model. One rule counts for a pair, the most
 * specific: one that names the caller goes before one that names the model only. A change of the rules applies to the next request, and
 * what has been counted stays counted.
 *
 * The number of pairs is bounded: the one that has been idle longest with a full bucket is forgotten, which changes nothing for its
 * caller. Where none of the oldest is full, the oldest without a request in flight goes.
 */
export class CallerQuotas implements Quotas {
  readonly #options: QuotaOptions;
  /** The longest idle first. */
  readonly #pairs = new Map<string, Pair>();

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /** Pairs that are remembered. */
  get size(): number {
    return this.#pairs.size;
  }

  take(caller: string, name: string): QuotaHold | undefined {
    const rules = this.#options.rules();
    if (rules.length === 0) return undefined;
    const model = this.#options.isModel(name) ? name : '';
    const key = `${caller}\0${model}`;
    const nowMs = this.#options.clock.monotonicMs();
    const known = this.#pairs.get(key);
    const pair = known ?? new Pair(nowMs);
    const rule = pair.ruleOf(rules, caller, model);
    if (rule === undefined) return undefined;
    if (known !== undefined) this.#pairs.delete(key);
    else this.#forget(nowMs);
    this.#pairs.set(key, pair);
    const refusal = pair.take(rule, nowMs);
    if (refusal === undefined) return holdOf(pair);
    this.#options.onRefused(model, refusal.reason);
    throw refusedBy(rule, refusal);
  }

  #forget(nowMs: number): void {
    const { pairsMax = PAIRS_MAX } = this.#options;
    if (this.#pairs.size < pairsMax) return;
    let oldest: string | undefined;
    let looks = 0;
    for (const [key, pair] of this.#pairs) {
      if (pair.inFlight === 0) {
        if (pair.isFull(nowMs)) {
          this.#pairs.delete(key);
          return;
        }
        oldest ??= key;
      }
      looks += 1;
      if (looks >= LOOKS_MAX && oldest !== undefined) break;
    }
    // What is in flight has a bound of its own, and is never forgotten.
    if (oldest !== undefined) this.#pairs.delete(oldest);
  }
}

type Excess = { readonly reason: QuotaReason; readonly retryAfterMs: number };

/** What is known of one caller's requests to one model. */
class Pair {
  inFlight = 0;
  readonly #bucket: TokenBucket;
  #rules: readonly QuotaRule[] | undefined;
  #rule: QuotaRule | undefined;

  constructor(nowMs: number) {
    this.#bucket = new TokenBucket(nowMs);
  }

  ruleOf(rules: readonly QuotaRule[], caller: string, model: string): QuotaRule | undefined {
    if (rules !== this.#rules) {
      this.#rules = rules;
      this.#rule = ruleFor(rules, caller, model);
    }
    return this.#rule;
  }

  take(rule: QuotaRule, nowMs: number): Excess | undefined {
    const { concurrent } = rule;
    if (concurrent !== undefined && this.inFlight >= concurrent) {
      return { reason: 'concurrency', retryAfterMs: CONCURRENCY_RETRY_MS };
    }
    const rate = rateOf(rule);
    const waitMs = rate === undefined ? 0 : this.#bucket.take(rate, nowMs);
    if (waitMs > 0) return { reason: 'rate', retryAfterMs: waitMs };
    this.inFlight += 1;
    return undefined;
  }

  /** Forgetting it would give its caller nothing. */
  isFull(nowMs: number): boolean {
    const rate = this.#rule && rateOf(this.#rule);
    return rate === undefined || this.#bucket.isFull(rate, nowMs);
  }
}

function rateOf({ perSecond, burst }: QuotaRule): BucketRate | undefined {
  return perSecond === undefined ? undefined : { perSecond, burst };
}

function holdOf(pair: Pair): QuotaHold {
  let isHeld = true;
  return {
    release: () => {
      if (isHeld) pair.inFlight -= 1;
      isHeld = false;
    },
  };
}

function refusedBy(rule: QuotaRule, { reason, retryAfterMs }: Excess): ServeError {
  const { perSecond, burst, concurrent } = rule;
  const expected =
    reason === 'rate'
      ? `at most ${perSecond} requests a second and ${burst} at once`
      : `at most ${concurrent} requests in flight`;
  return new ServeError(
    'rate_limited',
    `over the quota of this caller for this model: expected ${expected}, found more. Retry later, or have the quota raised (quotas)`,
    { retryAfterMs },
  );
}
