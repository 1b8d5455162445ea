/** What is kept of a request, as JSON: a few numbers, no tensors. */
export type Kept<Payload> = {
  /** Who comes again: a sticky key or a sequence, hashed; undefined: the request is a unit of its own. */
  readonly unit: string | undefined;
  /** Requests with an equal digest and no unit are one: the first counts. Undefined: not known. */
  readonly sameAs: string | undefined;
  readonly payload: Payload;
};

/** What has come of labels: `key` of the first one, where it is known. */
export type Labelled = { readonly key: string | undefined; readonly isConflicting: boolean };

export type State<Payload> =
  | { readonly kind: 'drawn' }
  | ({ readonly kind: 'labelled'; readonly label: unknown } & Labelled)
  | { readonly kind: 'closed' }
  | KeptState<Payload>;

export type KeptState<Payload> = Labelled & {
  readonly kind: 'kept';
  readonly payload: Payload;
  readonly losses: readonly number[] | undefined;
  readonly bytes: number;
};

/** A request that has a label, and the key of another one. */
export type Relabelled<Payload> = {
  readonly state: Extract<State<Payload>, Labelled>;
  readonly key: string;
};

export const UNLABELLED: Labelled = { key: undefined, isConflicting: false };

export type Entry<Payload> = { readonly atMs: number; state: State<Payload> };

export type Cohort = {
  readonly unit: string | undefined;
  readonly firstMs: number;
  readonly ids: string[];
};

/** What names the cohort of a request. */
export function keyOf(
  id: string,
  { unit, sameAs }: Pick<Kept<unknown>, 'unit' | 'sameAs'>,
): string {
  if (unit !== undefined) return `u${unit}`;
  return sameAs === undefined ? `r${id}` : `d${sameAs}`;
}

export type KeptAt<Payload> = {
  readonly atMs: number;
  readonly kept: Kept<Payload>;
  readonly losses: readonly number[] | undefined;
  readonly labelled: Labelled;
  /** It was read from the store. */
  readonly isStored?: boolean;
};
