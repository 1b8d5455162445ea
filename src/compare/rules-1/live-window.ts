import type { ServeErrorCode } from '../../core/errors.ts';
import type { ArmCounts, Evidence, ExposureCounts } from '../../core/evidence.ts';
import { saltedHash } from '../../core/hash.ts';
import type { LiveObservation } from '../../core/messages.ts';
import { CALLER_CODES } from '../../core/outcome.ts';
import type { Exposure } from '../../core/route.ts';
import { sortedRecord } from '../difference-tally.ts';
import { EventCover } from '../event-cover.ts';
import { SlowThreshold } from '../slow-threshold.ts';

export type LiveWindowOptions = {
  readonly salt: string;
  /** Slow is what takes longer than this quantile of the reference's past. */
  readonly slowQuantile: number;
};

type MutableArm = { -readonly [K in keyof ArmCounts]: ArmCounts[K] };
type MutableExposure = { readonly candidate: MutableArm; readonly reference: MutableArm };

/** Limit of distinct units (some 30 MB); units beyond it are served and do not count. */
const UNITS_MAX = 400_000;

/** Requests of the reference above its first threshold, of which later rules need fewer. */
const BURN_IN_ABOVE = 2;

/**
 * Units whose first bad event is remembered, at most. Each record of evidence carries them, so they must stay few; by then
 * the events have long decided what events can decide, and units that come again count no more.
 */
const BAD_UNITS_MAX = 5_000;

/**
 * Folds live requests into counts by exposure. Observations come in the order of assignment (see `trials/live-order.ts`).
 *
 * - `requests` are all that an arm had; `units`, `timedUnits`, `errors` and `slow` leave out those under the cover of an
 *   event.
 * - While there is no threshold yet nothing can be slow, so nothing met then is a trial of slowness: or else a window that
 *   had measured nothing would look like one that found nothing.
 * - `units` are distinct at one exposure: the trials of which an event is the outcome. A unit that comes again at the next
 *   exposure is a new trial there.
 * - After a restart, units that come again to an exposure of before are not counted again, since it is not known which were: the
 *   same units twice are not twice the evidence. Their first bad events still count, each with its trial.
 * - An event is a unit's first of its kind, over all exposures and restarts.
 * - A request that is a unit of its own needs no remembering: it is a trial, and its event the first.
 * - The caller's doing counts nowhere, with one exception: a request that had already taken longer than the threshold when
 *   its caller hung up was slow. Callers hang up on the slow arm.
 */
export class LiveWindow {
  readonly #options: LiveWindowOptions;
  readonly #exposures = new Map<string, MutableExposure>();
  /** Exposures whose counts include units of before a restart: those cannot be recognised again. */
  readonly #earlier: ReadonlySet<string>;
  readonly #seen = new Map<string, Set<string>>();
  #seenCount = 0;
  readonly #erred: Set<string>;
  readonly #slow: Set<string>;
  readonly #cover = new EventCover();
  readonly #threshold: SlowThreshold;

  constructor(
    options: LiveWindowOptions,
    from: Pick<Evidence, 'live' | 'erredUnits' | 'slowUnits'>,
  ) {
    this.#options = options;
    for (const [key, { candidate, reference }] of Object.entries(from.live)) {
      this.#exposures.set(key, { candidate: { ...candidate }, reference: { ...reference } });
    }
    this.#earlier = new Set(Object.keys(from.live));
    this.#erred = new Set(from.erredUnits);
    this.#slow = new Set(from.slowUnits);
    this.#threshold = new SlowThreshold(options.slowQuantile, BURN_IN_ABOVE);
  }

  add(live: LiveObservation): void {
    const totalMs = live.endedMs - live.startedMs;
    const thresholdMs = this.#threshold.thresholdMs;
    const isSlow = thresholdMs !== undefined && totalMs > thresholdMs;
    if (isCallersDoing(live.failure) && !(live.failure === 'cancelled' && isSlow)) return;

    const arm = this.#armOf(live);
    const isError = live.failure !== undefined && !isCallersDoing(live.failure);
    arm.requests += 1;
    if (isError) arm.erredRequests += 1;
    if (isSlow) arm.slowRequests += 1;
    if (!this.#cover.covers(live.startedMs)) {
      this.#count(live, arm, { isError, isSlow, isTimed: thresholdMs !== undefined });
    }
    // Last, so that no request is compared with a threshold that it has moved itself.
    if (live.side === 'reference' && live.failure === undefined) this.#threshold.add(totalMs);
  }

  /** Of a request that stable answered before the first that counts; later rules than the first call it. */
  learn(totalMs: number): void {
    this.#threshold.learn(totalMs);
  }

  snapshot(): Pick<Evidence, 'live' | 'erredUnits' | 'slowUnits'> {
    const live = [...this.#exposures].map(
      ([key, { candidate, reference }]): [string, ExposureCounts] => [
        key,
        { candidate: { ...candidate }, reference: { ...reference } },
      ],
    );
    return {
      live: sortedRecord(live),
      erredUnits: [...this.#erred].sort(),
      slowUnits: [...this.#slow].sort(),
    };
  }

  #count(live: LiveObservation, arm: MutableArm, { isError, isSlow, isTimed }: Finding): void {
    const hash = this.#hashOf(live.unit);
    if (hash !== undefined && this.#erred.size + this.#slow.size >= BAD_UNITS_MAX) return;
    const key = exposureKey(live.exposure);
    const isRecounted = hash !== undefined && this.#earlier.has(key);
    const error = this.#meet({ hash, isRecounted, at: key, isBad: isError }, this.#erred);
    if (error.isTrial) arm.units += 1;
    if (error.isEvent) arm.errors += 1;
    if (isTimed) {
      const timed = { hash, isRecounted, at: `${key} timed`, isBad: isSlow };
      const slow = this.#meet(timed, this.#slow);
      if (slow.isTrial) arm.timedUnits += 1;
      if (slow.isEvent) arm.slow += 1;
      if (slow.isEvent) this.#cover.begin(live.endedMs);
    }
    if (error.isEvent) this.#cover.begin(Math.max(live.endedMs, live.coversUntilMs ?? 0));
  }

  /** What one request is for one kind of event: a trial of its unit, its unit's first event, both or neither. */
  #meet(
    { hash, at, isBad, isRecounted }: Meeting,
    bad: Set<string>,
  ): { readonly isTrial: boolean; readonly isEvent: boolean } {
    if (isRecounted) {
      const isEvent = isBad && isFirst(bad, hash);
      return { isTrial: isEvent, isEvent };
    }
    const isTrial = this.#isNew(at, hash);
    return { isTrial, isEvent: isBad && this.#isTrial(at, hash) && isFirst(bad, hash) };
  }

  #hashOf(unit: string | undefined): string | undefined {
    return unit === undefined ? undefined : saltedHash(`${this.#options.salt}:evidence`, unit);
  }

  #armOf({ exposure, side }: LiveObservation): MutableArm {
    const key = exposureKey(exposure);
    const present = this.#exposures.get(key);
    if (present !== undefined) return present[side];
    const created = { candidate: noCounts(), reference: noCounts() };
    this.#exposures.set(key, created);
    return created[side];
  }

  /** True if the unit was not met here before, and there is room to remember it. */
  #isNew(key: string, hash: string | undefined): boolean {
    if (hash === undefined) return true;
    if (this.#seenCount >= UNITS_MAX || this.#isTrial(key, hash)) return false;
    const seen = this.#seen.get(key) ?? new Set();
    this.#seen.set(key, seen.add(hash));
    this.#seenCount += 1;
    return true;
  }

  /** True if the unit was counted here. */
  #isTrial(key: string, hash: string | undefined): boolean {
    return hash === undefined || (this.#seen.get(key)?.has(hash) ?? false);
  }
}

type Meeting = {
  readonly hash: string | undefined;
  /** Where the unit is a trial once: an exposure and a kind of event. */
  readonly at: string;
  readonly isBad: boolean;
  /** The unit may have been counted here in an earlier life. */
  readonly isRecounted: boolean;
};

type Finding = { readonly isError: boolean; readonly isSlow: boolean; readonly isTimed: boolean };

function exposureKey({ candidateBp, referenceBp }: Exposure): string {
  return `${candidateBp}:${referenceBp}`;
}

function isCallersDoing(failure: ServeErrorCode | undefined): boolean {
  return failure !== undefined && CALLER_CODES.has(failure);
}

function isFirst(units: Set<string>, hash: string | undefined): boolean {
  if (hash === undefined) return true;
  if (units.has(hash)) return false;
  units.add(hash);
  return true;
}

function noCounts(): MutableArm {
  return {
    requests: 0,
    units: 0,
    timedUnits: 0,
    errors: 0,
    slow: 0,
    erredRequests: 0,
    slowRequests: 0,
  };
}
