import type { ExposedCounts, FeltByArm, SliceEvidence } from '../core/evidence.ts';
import { increment, sortedRecord } from './difference-tally.ts';
import { shareText } from './share-text.ts';

/** One request of a unit. `isCovered`: it began during an event that has counted. */
export type LiveSaid = { readonly isFailed: boolean; readonly isCovered: boolean };

type LiveCounts = Pick<SliceEvidence, 'liveErrors' | 'liveFelt'>;

/** Failed shares of units, and what was felt, of all live requests or of one slice. A place is `<exposure> <side>`. */
export class LiveFold {
  /** By place, the counts of each share. */
  readonly #shares = new Map<string, Map<string, number>>();
  readonly #felt = new Map<string, { requests: number; failed: number }>();

  constructor({ liveErrors = {}, liveFelt = {} }: Partial<LiveCounts>) {
    for (const [exposure, sides] of Object.entries(liveErrors)) {
      for (const side of SIDES) {
        this.#shares.set(`${exposure} ${side}`, new Map(Object.entries(sides[side])));
        const felt = liveFelt[exposure]?.[side];
        if (felt !== undefined) this.#felt.set(`${exposure} ${side}`, { ...felt });
      }
    }
  }

  feel(place: string, isFailed: boolean): void {
    const felt = this.#felt.get(place) ?? { requests: 0, failed: 0 };
    felt.requests += 1;
    felt.failed += Number(isFailed);
    this.#felt.set(place, felt);
  }

  /** The requests of one unit. */
  add(requests: readonly LiveSaid[], place: string): void {
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

  snapshot(): LiveCounts {
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
    return { liveErrors: sortedRecord(liveErrors), liveFelt: sortedRecord(liveFelt) };
  }
}

const SIDES = ['candidate', 'reference'] as const;
type Side = (typeof SIDES)[number];
