import type { ServeErrorCode } from '../core/errors.ts';
import type { Evidence } from '../core/evidence.ts';
import type { LiveObservation } from '../core/messages.ts';
import { CALLER_CODES } from '../core/outcome.ts';
import type { UnitRule } from '../core/unit.ts';
import { EventCover } from './event-cover.ts';
import { LiveFold, type LiveSaid } from './live-fold.ts';
import { eachSlice, foldOf } from './slice-match.ts';
import { UnitWeights } from './unit-weights.ts';
import { Units } from './units.ts';

type ErrorEvidence = Pick<Evidence, 'liveErrors' | 'liveFelt' | 'liveUnits'>;

type Request = LiveSaid & { readonly slices: readonly string[] };

export type LiveErrorsOptions = { readonly salt: string; readonly unit: UnitRule };

/**
 * The share of failed requests of each unit, by arm and exposure, from requests in the order of their assignment.
 *
 * A stall, a failed batch or a full queue is one event: requests that begin before it has ended are in no share, of either arm
 * (see `event-cover.ts`). What was felt is counted beside: those requests too, and of a unit that comes again those after it has
 * counted, at most `requests` of it in each `windowMs`. The caller's doing counts nowhere.
 */
export class LiveErrors {
  readonly #all: LiveFold;
  readonly #slices: Map<string, LiveFold>;
  readonly #units: Units<Request>;
  readonly #cover = new EventCover();
  readonly #weights: UnitWeights;

  constructor({ salt, unit }: LiveErrorsOptions, from: ErrorEvidence & Pick<Evidence, 'bySlice'>) {
    this.#weights = new UnitWeights(unit);
    this.#all = new LiveFold(from);
    this.#slices = new Map(
      Object.entries(from.bySlice ?? {}).map(([key, counts]) => [key, new LiveFold(counts)]),
    );
    this.#units = new Units(
      { salt, rule: unit, lateMs: 0, count: (requests, place) => this.#count(requests, place) },
      from.liveUnits ?? {},
    );
  }

  /** `slices`: that the request is in, as `sliceKey` writes them. */
  add(live: LiveObservation, slices: readonly string[] = []): void {
    if (isCallersDoing(live.failure)) return;
    const { candidateBp, referenceBp } = live.exposure;
    const isFailed = live.failure !== undefined;
    const isCovered = this.#cover.covers(live.startedMs);
    const place = `${candidateBp}:${referenceBp} ${live.side}`;
    const isPart = this.#units.add({
      key: { sticky: live.unit, content: live.content },
      place,
      beganMs: live.startedMs,
      value: { isFailed, isCovered, slices },
    });
    const isFelt =
      live.unit === undefined ? isPart : this.#weights.admit(live.unit, live.startedMs);
    if (isFelt) {
      this.#all.feel(place, isFailed);
      for (const slice of slices) this.#foldOf(slice).feel(place, isFailed);
    }
    if (!isPart || !isFailed || isCovered) return;
    this.#cover.begin(Math.max(live.endedMs, live.coversUntilMs ?? 0));
  }

  snapshot(): ErrorEvidence {
    return { ...this.#all.snapshot(), liveUnits: this.#units.snapshot() };
  }

  /** By slice, of those that had a request. */
  slices(): ReadonlyMap<string, ReturnType<LiveFold['snapshot']>> {
    return new Map([...this.#slices].map(([key, fold]) => [key, fold.snapshot()]));
  }

  #foldOf(slice: string): LiveFold {
    return foldOf(this.#slices, slice, () => new LiveFold({}));
  }

  #count(requests: readonly Request[], place: string): void {
    this.#all.add(requests, place);
    eachSlice(requests, (slice, own) => this.#foldOf(slice).add(own, place));
  }
}

function isCallersDoing(failure: ServeErrorCode | undefined): boolean {
  return failure !== undefined && CALLER_CODES.has(failure);
}
