import type { ServeErrorCode } from '../core/errors.ts';
import type { Evidence, ExposedCounts } from '../core/evidence.ts';
import type { LiveObservation } from '../core/messages.ts';
import { CALLER_CODES } from '../core/outcome.ts';
import type { UnitRule } from '../core/unit.ts';
import { increment, sortedRecord } from './difference-tally.ts';
import { EventCover } from './event-cover.ts';
import { Units } from './units.ts';

type ErrorEvidence = Pick<Evidence, 'liveErrors' | 'liveUnits'>;

export type LiveErrorsOptions = { readonly salt: string; readonly unit: UnitRule };

/**
 * The share of failed requests of each unit, by arm and exposure, from requests in the order of their assignment.
 *
 * A stall, a failed batch or a full queue is one event: requests that begin before it has ended do not count at all, in either arm
 * (see `event-cover.ts`). The caller's doing counts nowhere.
 */
export class LiveErrors {
  /** By `<exposure> <side>`, the counts of each share. */
  readonly #shares = new Map<string, Map<string, number>>();
  readonly #units: Units<boolean>;
  readonly #cover = new EventCover();

  constructor({ salt, unit }: LiveErrorsOptions, from: ErrorEvidence) {
    for (const [exposure, sides] of Object.entries(from.liveErrors ?? {})) {
      for (const side of SIDES) {
        this.#shares.set(`${exposure} ${side}`, new Map(Object.entries(sides[side])));
      }
    }
    this.#units = new Units(
      { salt, rule: unit, lateMs: 0, count: (failed, place) => this.#count(failed, place) },
      from.liveUnits ?? {},
    );
  }

  add(live: LiveObservation): void {
    if (isCallersDoing(live.failure) || this.#cover.covers(live.startedMs)) return;
    const { candidateBp, referenceBp } = live.exposure;
    const isFailed = live.failure !== undefined;
    const isPart = this.#units.add({
      key: { sticky: live.unit, content: live.content },
      place: `${candidateBp}:${referenceBp} ${live.side}`,
      beganMs: live.startedMs,
      value: isFailed,
    });
    if (isPart && isFailed) this.#cover.begin(Math.max(live.endedMs, live.coversUntilMs ?? 0));
  }

  snapshot(): ErrorEvidence {
    const exposures = [
      ...new Set([...this.#shares.keys()].map((place) => place.split(' ')[0] ?? '')),
    ];
    const at = (exposure: string, side: Side) =>
      sortedRecord(this.#shares.get(`${exposure} ${side}`) ?? []);
    const liveErrors = exposures.map((exposure): [string, ExposedCounts] => [
      exposure,
      { candidate: at(exposure, 'candidate'), reference: at(exposure, 'reference') },
    ]);
    return { liveErrors: sortedRecord(liveErrors), liveUnits: this.#units.snapshot() };
  }

  #count(failed: readonly boolean[], place: string): void {
    const shares = this.#shares.get(place) ?? new Map<string, number>();
    this.#shares.set(place, shares);
    increment(shares, `${failed.filter(Boolean).length}/${failed.length}`);
  }
}

const SIDES = ['candidate', 'reference'] as const;
type Side = (typeof SIDES)[number];

function isCallersDoing(failure: ServeErrorCode | undefined): boolean {
  return failure !== undefined && CALLER_CODES.has(failure);
}
