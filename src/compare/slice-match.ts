import { inSlice, type Slice, sliceKey } from '../core/evidence.ts';

/** The keys of the slices that a request belongs to: shared, as most requests of a model without slices are in none. */
const NONE: readonly string[] = [];

/** Finds the declared slices of requests. */
export class SliceMatch {
  readonly #slices: readonly { readonly key: string; readonly slice: Slice }[];

  constructor(slices: readonly Slice[]) {
    const distinct = new Map(slices.map((slice) => [sliceKey(slice), slice]));
    this.#slices = [...distinct].map(([key, slice]) => ({ key, slice }));
  }

  /** As `sliceKey` writes them. Without attributes a request is in no slice. */
  of(attributes: Readonly<Record<string, string>> | undefined): readonly string[] {
    if (attributes === undefined || this.#slices.length === 0) return NONE;
    return this.#slices.flatMap(({ key, slice }) => (inSlice(attributes, slice) ? key : []));
  }
}

/** The fold of a slice, which begins with its first request. */
export function foldOf<Fold>(folds: Map<string, Fold>, slice: string, begin: () => Fold): Fold {
  const present = folds.get(slice);
  if (present !== undefined) return present;
  const fold = begin();
  folds.set(slice, fold);
  return fold;
}

/** Calls `add` with each slice of a unit's requests, and those of them that are in it. */
export function eachSlice<Request extends { readonly slices: readonly string[] }>(
  requests: readonly Request[],
  add: (slice: string, requests: readonly Request[]) => void,
): void {
  if (requests.every(({ slices }) => slices.length === 0)) return;
  for (const slice of new Set(requests.flatMap(({ slices }) => slices))) {
    add(
      slice,
      requests.filter(({ slices }) => slices.includes(slice)),
    );
  }
}
