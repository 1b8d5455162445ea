/** A pair that the label queue drew and that has no label yet. Moments are wall-clock milliseconds. */
export type WantedLabel = {
  /** Our own id of the request. */
  readonly requestId: string;
  /** The version that answered it live. */
  readonly version: string;
  readonly askedMs: number;
  /** The last moment at which its label counts: then it counts as its worst case. */
  readonly untilMs: number;
  /** The declared slices that it belongs to, as `sliceKey` writes them. */
  readonly slices: readonly string[];
};
