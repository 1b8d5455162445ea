import { OrderedMap } from '../core/ordered-map.ts';
import type { UnitRule } from '../core/unit.ts';

/** Units that are known at once, at most; beyond, the one that came first is forgotten and weighs as a new one. */
const UNITS_MAX = 100_000;

/** Bounds what one unit that comes again weighs in a count of requests: at most `requests` in each `windowMs`. */
export class UnitWeights {
  readonly #rule: UnitRule;
  readonly #known = new OrderedMap<string, { sinceMs: number; requests: number }>();

  constructor(rule: UnitRule) {
    this.#rule = rule;
  }

  /** True if the request is among the first of its unit's present window. `beganMs`: of any clock that only goes forward. */
  admit(unit: string, beganMs: number): boolean {
    const known = this.#known.get(unit) ?? this.#add(unit, beganMs);
    if (beganMs - known.sinceMs > this.#rule.windowMs) {
      known.sinceMs = beganMs;
      known.requests = 0;
    }
    known.requests += 1;
    return known.requests <= this.#rule.requests;
  }

  #add(unit: string, sinceMs: number): { sinceMs: number; requests: number } {
    const added = { sinceMs, requests: 0 };
    this.#known.set(unit, added);
    const { oldest } = this.#known;
    if (this.#known.size > UNITS_MAX && oldest !== undefined) this.#known.delete(oldest[0]);
    return added;
  }
}
