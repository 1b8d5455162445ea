/** Whether the mirror of a rollout carries requests. */
export type MirrorHealth = {
  /** `unknown`: no known request has been sent, or the present step mirrors nothing. */
  readonly state: 'unknown' | 'working' | 'failing';
  /** Wall clock, milliseconds: when a known request last came out as a pair. */
  readonly arrivedMs: number | undefined;
  /** What is wrong, in a sentence; undefined unless failing. */
  readonly why: string | undefined;
};
