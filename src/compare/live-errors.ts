import type { ServeErrorCode } from '../core/errors.ts';
import type { Evidence, ExposedCounts, FeltByArm } from '../core/evidence.ts';
import type { LiveObservation } from '../core/messages.ts';
import { CALLER_CODES } from '../core/outcome.ts';
import type { UnitRule } from '../core/unit.ts';
import { increment, sortedRecord } from './difference-tally.ts';
import { EventCover } from './event-cover.ts';
import { Units } from './units.ts';

type ErrorEvidence = Pick<Evidence, 'liveErrors' | 'liveFelt' | 'liveUnits'>;

/** One request of a unit. `isCovered`: it began during an event that has counted. */
type Request = { readonly isFailed: boolean; readonly isCovered: boolean };

export type LiveErrorsOptions = { readonly salt: string; readonly unit: UnitRule };

/**
 * The share of failed requests of each unit, by arm and exposure, from requests in the order of their assignment.
 *
 * A stall, a failed batch or a full queue is one event: requests that begin before it has ended are in no share, of either arm
 * (see `event-cover.ts`); what was felt of them is counted beside, at most as many requests a unit. The caller's doing counts nowhere.
 */
export class LiveErrors {
  /** By `<exposure> <side>`, the counts of each share. */
  readonly #shares = new Map<string, Map<string, number>>();
  readonly #felt = new Map<string, { requests: number; failed: number }>();
  readonly #units: Units<Request>;
  readonly #cover = new EventCover();

  constructor({ salt, unit }: LiveErrorsOptions, from: ErrorEvidence) {
    for (const [exposure, sides] of Object.entries(from.liveErrors ?? {})) {
      for (const side of SIDES) {
        this.#shares.set(`${exposure} ${side}`, new Map(Object.entries(sides[side])));
        const felt = from.liveFelt?.[exposure]?.[side];
        if (felt !== undefined) this.#felt.set(`${exposure} ${side}`, { ...felt });
      }
    }
    this.#units = new Units(
      { salt, rule: unit, lateMs: 0, count: (requests, place) => this.#count(requests, place) },
      from.liveUnits ?? {},
    );
  }

  add(live: LiveObservation): void {
    if (isCallersDoing(live.failure)) return;
    const { candidateBp, referenceBp } = live.exposure;
    const isFailed = live.failure !== undefined;
    const isCovered = this.#cover.covers(live.startedMs);
    const isPart = this.#units.add({
      key: { sticky: live.unit, content: live.content },
      place: `${candidateBp}:${referenceBp} ${live.side}`,
      beganMs: live.startedMs,
      value: { isFailed, isCovered },
    });
    if (!isPart || !isFailed || isCovered) return;
    this.#cover.begin(Math.max(live.endedMs, live.coversUntilMs ?? 0));
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
    const felt = (exposure: string, side: Side) => ({
      requests: 0,
      failed: 0,
      ...this.#felt.get(`${exposure} ${side}`),
    });
    const liveFelt = exposures.map((exposure): [string, FeltByArm] => [
      exposure,
      { candidate: felt(exposure, 'candidate'), reference: felt(exposure, 'reference') },
    ]);
    return {
      liveErrors: sortedRecord(liveErrors),
      liveFelt: sortedRecord(liveFelt),
      liveUnits: this.#units.snapshot(),
    };
  }

  #count(requests: readonly Request[], place: string): void {
    const felt = this.#felt.get(place) ?? { requests: 0, failed: 0 };
    felt.requests += requests.length;
    felt.failed += requests.filter(({ isFailed }) => isFailed).length;
    this.#felt.set(place, felt);
    const shares = this.#shares.get(place) ?? new Map<string, number>();
    this.#shares.set(place, shares);
    const seen = requests.filter(({ isCovered }) => !isCovered);
    const failed = seen.filter(({ isFailed }) => isFailed);
    if (seen.length > 0) increment(shares, `${failed.length}/${seen.length}`);
  }
}

const SIDES = ['candidate', 'reference'] as const;
type Side = (typeof SIDES)[number];

function isCallersDoing(failure: ServeErrorCode | undefined): boolean {
  return failure !== undefined && CALLER_CODES.has(failure);
}
