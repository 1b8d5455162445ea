/** How many requests a second are meant to start, over the time of a load. */
export type Rate =
  | { readonly kind: 'steady'; readonly perSecond: number }
  /** Changes evenly from the one to the other over the whole load. */
  | { readonly kind: 'ramp'; readonly fromPerSecond: number; readonly toPerSecond: number }
  /** One after the other; the last one lasts until the load ends. */
  | { readonly kind: 'steps'; readonly steps: readonly RateStep[] };

export type RateStep = { readonly perSecond: number; readonly forMs: number };

/**
 * How the starts lie around their rate. `constant`: evenly. `poisson`: at random moments, as independent users do. `bursty`:
 * in clumps; the gaps are gamma-distributed with this shape, 1 being Poisson and less being burstier.
 */
export type Spacing =
  | { readonly kind: 'constant' }
  | { readonly kind: 'poisson' }
  | { readonly kind: 'bursty'; readonly shape: number };

/**
 * When requests are meant to start. The open-loop kinds never wait for an answer, so a stall of the server is felt by every
 * request that should have started during it. `closed` waits for each answer: it finds a capacity, and its latencies hide
 * what users would have felt.
 */
export type Arrivals =
  | { readonly kind: 'open'; readonly rate: Rate; readonly spacing: Spacing }
  /** Milliseconds from the start of the load, not decreasing; `file`: the name of the file that they were read from. */
  | {
      readonly kind: 'recorded';
      readonly atMs: readonly number[];
      readonly file?: string | undefined;
    }
  | { readonly kind: 'closed'; readonly concurrency: number };

export type ScheduledArrivals = Exclude<Arrivals, { kind: 'closed' }>;

/** A steady load at random moments, as independent users make it. */
export function poisson(perSecond: number): Arrivals {
  return { kind: 'open', rate: { kind: 'steady', perSecond }, spacing: { kind: 'poisson' } };
}

/** A steady load, evenly spaced. */
export function constant(perSecond: number): Arrivals {
  return { kind: 'open', rate: { kind: 'steady', perSecond }, spacing: { kind: 'constant' } };
}
