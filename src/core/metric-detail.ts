import type { MetricKey } from './verdict.ts';

/** How large a difference is, with an interval that holds at all times together: it may be looked at as often as one likes. */
export type Effect = {
  /** Of candidate less reference: a mean over pairs, or the rates of the two arms. `slowerShare` is the share of slower pairs. */
  readonly unit: 'meanDifference' | 'rateDifference' | 'slowerShare';
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  /** What it must stay below, as far as the margin says so now: that of a difference of rates depends on the reference's rate. */
  readonly limit: number;
  /** The probability that the interval holds the true value, at all looks together. */
  readonly confidence: number;
};

/** The smallest margin that is proven so far, with the rollout's whole false-promotion budget. */
export type ProvenMargin = {
  /** In the form of the rollout's own: a number, or the ratio and the absolute rate scaled alike. Below 0: proven better. */
  readonly margin: number | { readonly ratio: number; readonly absolute: number };
  /** The same over the rollout's own margin: at 1 and below, its claim is proven. */
  readonly ofMargin: number;
};

/** What is shown of a metric beside its finding. None of it decides anything. */
export type MetricDetail = {
  /** What `estimate` must stay below, in its units; undefined where there is no one number yet. */
  readonly limit?: number | undefined;
  /** Undefined before there are samples. */
  readonly effect?: Effect | undefined;
  /** Undefined while none is, and for what can only reject. */
  readonly proven?: ProvenMargin | undefined;
};

/** A metric over a slice that is only shown: it takes no part of the error budget and decides nothing. */
export type ReportedMetric = MetricKey & {
  /** As `metricLabel` writes it. */
  readonly label: string;
  readonly samples: number;
  readonly candidateEvents: number;
  readonly referenceEvents: number;
  /** Undefined without samples. */
  readonly estimate: number | undefined;
};
