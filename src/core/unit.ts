/** What requests of one unit have in common. Neither: the request is a unit of its own. */
export type UnitKey = {
  /** A sequence or a sticky key. */
  readonly sticky: string | undefined;
  /** A hash of the inputs' bytes, of a request that has no sticky key. */
  readonly content: string | undefined;
};

/** How many of a unit's first requests its one value comes from, and within how many milliseconds of its first. */
export type UnitRule = { readonly requests: number; readonly windowMs: number };
