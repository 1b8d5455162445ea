import type { LiveLabelled, LiveLossEvidence } from '../core/evidence.ts';
import { CoverageTally } from './coverage-tally.ts';
import { DifferenceTally, sortedRecord } from './difference-tally.ts';

/** A unit whose label window has ended. */
export type MatureUnit = {
  readonly side: 'candidate' | 'reference';
  /** Where it was drawn: an exposure, `<candidateBp>:<referenceBp>`. */
  readonly place: string;
  /** Mean over its labelled answers, in [0, 1]; undefined: none has a label. */
  readonly loss: LossBounds | undefined;
};

/** At least and at most; they differ where labels contradict each other. */
export type LossBounds = { readonly low: number; readonly high: number };

/** Units of the reference that one of the candidate is compared with at most, and the candidate's that wait for one. */
const REFERENCES_MAX = 16;
const CANDIDATES_MAX = 64;

type Place = {
  /** Of both arms, the reference as the base. */
  readonly coverage: CoverageTally;
  /** Labelled units not yet compared, oldest first; one of the two is empty. */
  readonly references: LossBounds[];
  readonly candidates: LossBounds[];
};

/**
 * Compares labelled units of the two arms, which were drawn at random: each of the candidate with those of the reference since
 * the one before it, at the same exposure. Neither how often labels come for an arm nor a loss that drifts for both moves the
 * mean of these differences away from that of the versions.
 */
export class LiveLossTally {
  readonly #differences: DifferenceTally;
  readonly #places = new Map<string, Place>();

  constructor({ differences, places }: Pick<LiveLossEvidence, 'differences' | 'places'>) {
    this.#differences = new DifferenceTally(differences);
    for (const [key, counts] of Object.entries(places)) this.#places.set(key, placeFrom(counts));
  }

  add({ side, place: key, loss }: MatureUnit): void {
    const place = this.#places.get(key) ?? placeFrom(NONE);
    this.#places.set(key, place);
    place.coverage.add({ isOther: side === 'candidate', labelled: loss !== undefined });
    if (loss === undefined) return;
    if (side === 'candidate') this.#addCandidate(place, loss);
    else this.#addReference(place, loss);
  }

  snapshot(): Pick<LiveLossEvidence, 'differences' | 'places'> {
    const places = [...this.#places].map(([key, { coverage }]) => {
      const { base: reference, other: candidate, blocks } = coverage.snapshot();
      return [key, { candidate, reference, blocks }] as const;
    });
    return { differences: this.#differences.snapshot(), places: sortedRecord(places) };
  }

  #addCandidate({ references, candidates }: Place, loss: LossBounds): void {
    if (references.length > 0) {
      const low = meanOf(references.map((each) => each.low));
      const high = meanOf(references.map((each) => each.high));
      this.#compare(loss, { low, high });
      references.length = 0;
      return;
    }
    candidates.push(loss);
    if (candidates.length > CANDIDATES_MAX) candidates.shift();
  }

  #addReference({ references, candidates }: Place, loss: LossBounds): void {
    const candidate = candidates.shift();
    if (candidate !== undefined) {
      this.#compare(candidate, loss);
      return;
    }
    references.push(loss);
    if (references.length > REFERENCES_MAX) references.shift();
  }

  #compare(candidate: LossBounds, reference: LossBounds): void {
    this.#differences.add(candidate.low - reference.high, candidate.high - reference.low);
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

const NONE: LiveLabelled = {
  candidate: { units: 0, labelled: 0 },
  reference: { units: 0, labelled: 0 },
};

function placeFrom({ candidate: other, reference: base, blocks = {} }: LiveLabelled): Place {
  return { coverage: new CoverageTally({ base, other, blocks }), references: [], candidates: [] };
}
