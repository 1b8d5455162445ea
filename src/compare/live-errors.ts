import type { ServeErrorCode } from '../core/errors.ts';
import type { Evidence, ExposedCounts, FeltByArm } from '../core/evidence.ts';
import type { LiveObservation } from '../core/messages.ts';
import { CALLER_CODES } from '../core/outcome.ts';
import type { UnitRule } from '../core/unit.ts';
import { increment, sortedRecord } from './difference-tally.ts';
import { EventCover } from './event-cover.ts';
import { shareText } from './share-text.ts';
import { UnitWeights } from './unit-weights.ts';
import { Units } from './units.ts';

type ErrorEvidence = Pick<Evidence, 'liveErrors' | 'liveFelt' | 'liveUnits'>;

/** One request of a unit. `isCovered`: it began during an event that has counted. */
type Request = { readonly isFailed: boolean; readonly isCovered: boolean };

export type LiveErrorsOptions = { readonly salt: string; readonly unit: UnitRule };

/**
 * The share of failed requests of each unit, by arm and exposure, from requests in the order of their assignment.
 *
 * A stall, a failed batch or a full queue is one event: requests that begin before it has ended are in no share, of either arm
 * (see `event-cover.ts`). What was felt is counted beside: those requests too, and of a unit that comes again those after it has
 * counted, at most `requests` of it in each `windowMs`. The caller's doing counts nowhere.
 */
export class LiveErrors {
  /** By `<exposure> <side>`, the counts of each share. */
  readonly #shares = new Map<string, Map<string, number>>();
  readonly #felt = new Map<string, { requests: number; failed: number }>();
  readonly #units: Units<Request>;
  readonly #cover = new EventCover();
  readonly #weights: UnitWeights;

  constructor({ salt, unit }: LiveErrorsOptions, from: ErrorEvidence) {
    this.#weights = new UnitWeights(unit);
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
    const place = `${candidateBp}:${referenceBp} ${live.side}`;
    const isPart = this.#units.add({
      key: { sticky: live.unit, content: live.content },
      place,
      beganMs: live.startedMs,
      value: { isFailed, isCovered },
    });
    const isFelt =
      live.unit === undefined ? isPart : this.#weights.admit(live.unit, live.startedMs);
    if (isFelt) this.#feel(place, isFailed);
    if (!isPart || !isFailed || isCovered) return;
    this.#cover.begin(Math.max(live.endedMs, live.coversUntilMs ?? 0));
  }

  snapshot(): ErrorEvidence {
    const exposures = [
      ...new Set(
        [...this.#shares.keys(), ...this.#felt.keys()].map((place) => place.split(' ')[0] ?? ''),
      ),
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

  #feel(place: string, isFailed: boolean): void {
    const felt = this.#felt.get(place) ?? { requests: 0, failed: 0 };
    felt.requests += 1;
    felt.failed += Number(isFailed);
    this.#felt.set(place, felt);
  }

  #count(requests: readonly Request[], place: string): void {
    const shares = this.#shares.get(place) ?? new Map<string, number>();
    this.#shares.set(place, shares);
    let [seen, failed] = [0, 0];
    for (const { isCovered, isFailed } of requests) {
      if (isCovered) continue;
      seen += 1;
      if (isFailed) failed += 1;
    }
    if (seen > 0) increment(shares, shareText([failed], seen));
  }
}

const SIDES = ['candidate', 'reference'] as const;
type Side = (typeof SIDES)[number];

function isCallersDoing(failure: ServeErrorCode | undefined): boolean {
  return failure !== undefined && CALLER_CODES.has(failure);
}
