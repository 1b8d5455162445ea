/**
 * What one value of evidence comes from. Requests that belong together (of one user, of one sequence, retries of the same bytes)
 * err together: as values of their own they would look like many where there is one. So each unit gives one value, in [0, 1] or
 * [-1, 1], from a number of requests that is bounded and known beforehand:
 *
 * - A unit that comes again (a sticky key, a sequence): its first `requests` that began within `windowMs` of its first. It counts
 *   once in a rollout, when the window has passed: nothing that its requests do decides when it counts, or whether. Which units
 *   have counted is in the evidence, so after a restart new ones count, and those of before do not again; one whose window was
 *   open begins again.
 * - A request that is a unit of its own, or the same bytes again: counts immediately. The same bytes do not count again for
 *   `windowMs`, by this process's memory.
 */
import type { UnitBits } from '../core/evidence.ts';
import { saltedHash } from '../core/hash.ts';
import { OrderedMap } from '../core/ordered-map.ts';
import type { UnitKey, UnitRule } from '../core/unit.ts';
import { UnitFilter } from './unit-filter.ts';

/** A request that has nothing in common with others. */
export const OWN_UNIT: UnitKey = { sticky: undefined, content: undefined };

export type UnitsOptions<Value> = {
  /** Of the rollout; units are in evidence only as hashes under it. */
  readonly salt: string;
  readonly rule: UnitRule;
  /** How much later than its beginning a request may be offered, and still be among its unit's first. Milliseconds. */
  readonly lateMs: number;
  /** Requests of all units whose window is open, at most; by default a million. */
  readonly requestsMax?: number;
  /** Called once for each unit, with its requests' values in the order in which they began. */
  readonly count: (values: readonly Value[], place: string) => void;
};

/** One request. `place`: where it may count (an arm at an exposure); a unit counts where its first request was. */
export type Offer<Value> = {
  readonly key: UnitKey;
  readonly place: string;
  /** Milliseconds of any clock that only goes forward. */
  readonly beganMs: number;
  readonly value: Value;
};

type Open<Value> = {
  readonly place: string;
  readonly firstMs: number;
  readonly requests: { readonly beganMs: number; readonly value: Value }[];
};

/**
 * Units whose window is open, at most, and their requests together: some 100 MB. Beyond, new units do not count, and no unit takes another
 * request, of either arm. Contents that are remembered: beyond, old ones go.
 */
const OPEN_MAX = 100_000;
const REQUESTS_MAX = 1_000_000;
const CONTENTS_MAX = 100_000;

export class Units<Value> {
  readonly #options: UnitsOptions<Value>;
  readonly #counted: UnitFilter;
  /** By hash, in the order in which their windows opened. */
  readonly #open = new OrderedMap<string, Open<Value>>();
  /** Of all open units. */
  #openRequests = 0;
  /** When contents counted, the earliest first. */
  readonly #contents = new OrderedMap<string, number>();
  #latestMs = Number.NEGATIVE_INFINITY;

  constructor(options: UnitsOptions<Value>, from: UnitBits) {
    this.#options = options;
    this.#counted = new UnitFilter(from);
  }

  /** True if the request is part of what its unit counts as. */
  add(offer: Offer<Value>): boolean {
    this.#latestMs = Math.max(this.#latestMs, offer.beganMs);
    this.#close();
    const { sticky, content } = offer.key;
    if (sticky !== undefined) {
      return this.#addSticky(saltedHash(`${this.#options.salt}:evidence`, sticky), offer);
    }
    if (content !== undefined && this.#isRepeat(content, offer.beganMs)) return false;
    this.#options.count([offer.value], offer.place);
    return true;
  }

  /** The units that have counted. */
  snapshot(): UnitBits {
    return this.#counted.snapshot();
  }

  #addSticky(hash: string, { place, beganMs, value }: Offer<Value>): boolean {
    if (this.#openRequests >= (this.#options.requestsMax ?? REQUESTS_MAX)) return false;
    const open = this.#open.get(hash);
    if (open === undefined) {
      if (this.#open.size >= OPEN_MAX || this.#counted.has(hash)) return false;
      this.#open.set(hash, { place, firstMs: beganMs, requests: [{ beganMs, value }] });
      this.#openRequests += 1;
      return true;
    }
    const { requests, windowMs } = this.#options.rule;
    if (open.place !== place || beganMs - open.firstMs > windowMs) return false;
    const at = open.requests.findLastIndex((each) => each.beganMs <= beganMs) + 1;
    open.requests.splice(at, 0, { beganMs, value });
    if (open.requests.length > requests) {
      open.requests.pop();
      return at < requests;
    }
    this.#openRequests += 1;
    return true;
  }

  /** Counts the units whose window has passed. */
  #close(): void {
    const { rule, lateMs, count } = this.#options;
    const dueMs = this.#latestMs - rule.windowMs - lateMs;
    for (const [hash, { firstMs, place, requests }] of this.#open) {
      if (firstMs >= dueMs) break;
      this.#open.delete(hash);
      this.#openRequests -= requests.length;
      if (!this.#counted.has(hash) && this.#counted.add(hash)) {
        count(
          requests.map(({ value }) => value),
          place,
        );
      }
    }
  }

  #isRepeat(content: string, beganMs: number): boolean {
    for (const [known, countedMs] of this.#contents) {
      const isOld = this.#latestMs - countedMs > this.#options.rule.windowMs;
      if (!isOld && this.#contents.size < CONTENTS_MAX) break;
      this.#contents.delete(known);
    }
    if (this.#contents.has(content)) return true;
    this.#contents.set(content, beganMs);
    return false;
  }
}
