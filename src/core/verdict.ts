import type { AttemptShare } from './attempt.ts';
import type { Slice } from './evidence.ts';

/** The measured things that a step may name. */
export const NAMED_METRICS = [
  'disagreement',
  'pairedErrors',
  'pairedLatency',
  'labelledLoss',
  'errors',
  'slowRequests',
  'liveLoss',
] as const;

/** The measured things a rollout can be judged on. `anchorLoss` goes with `labelledLoss`, where there is an anchor to compare with. */
export const METRIC_NAMES = [...NAMED_METRICS, 'anchorLoss'] as const;

export type MetricName = (typeof METRIC_NAMES)[number];

/** Where a metric's evidence comes from: pairs in the shadow host, or randomised live traffic. */
export const METRIC_PHASE = {
  disagreement: 'shadow',
  pairedErrors: 'shadow',
  pairedLatency: 'shadow',
  labelledLoss: 'shadow',
  errors: 'canary',
  slowRequests: 'canary',
  liveLoss: 'canary',
  anchorLoss: 'shadow',
} as const satisfies Record<MetricName, 'shadow' | 'canary'>;

/** One metric over all requests or over one slice. */
export type MetricKey = { readonly metric: MetricName; readonly slice: Slice | undefined };

/** Three answers, never two: what is not proven either way is undecided. */
export type Finding = 'worse' | 'nonInferior' | 'undecided';

/** What the evidence says about one metric, with every number that the finding rests on. */
export type MetricStatus = MetricKey & {
  readonly finding: Finding;
  /** Whether promotion needs it to be non-inferior (`gate`) or it can only reject (`reject`). */
  readonly role: 'gate' | 'reject';
  /** Natural logarithms of the two e-values, and of what each must reach. */
  readonly logHarm: number;
  readonly logHarmNeeded: number;
  readonly logSafe: number;
  readonly logSafeNeeded: number;
  /** `superior`: promotion needs the candidate to be better, so `nonInferior` says that it is. Absent: no worse is enough. */
  readonly claim?: 'superior';
  /** Whether the candidate is proven better, whichever is claimed. Absent where that is not tested. */
  readonly superior?: boolean;
  /** Requests, pairs, units or blocks of time looked at, and bad events among them (candidate, reference). */
  readonly samples: number;
  readonly candidateEvents: number;
  readonly referenceEvents: number;
  /** The measured value that the margin bounds (a mean difference, or a ratio); undefined without samples. */
  readonly estimate: number | undefined;
  readonly margin: string;
  /** How many more samples at the present estimate until non-inferior; undefined where that cannot be said. */
  readonly samplesToGo: number | undefined;
  /** How long they take at the present pace, in milliseconds; only where samples are blocks of time. */
  readonly msToGo?: number;
  /**
   * With a maximum of samples (`maxSamples`), while it is not proven: how many more it takes at least, if they turn out as much better than
   * the present ones as chance brings about once in forty times; `futile`: more than are left. Absent where that is not judged.
   */
  readonly atBest?: 'futile' | { readonly samplesToGo: number };
  /** What is missing or wrong, in words, where the metric cannot be judged. */
  readonly missing: string | undefined;
};

/** `pass` and `fail` are proven; `inconclusive` lacks evidence; `error` could not measure. */
export type VerdictKind = 'pass' | 'fail' | 'inconclusive' | 'error';

export type Verdict = {
  readonly kind: VerdictKind;
  readonly metrics: readonly MetricStatus[];
  /** The metrics that decided a `fail`, as `metricLabel` writes them; empty otherwise. */
  readonly decidedBy: readonly string[];
  /** What is missing for more than `inconclusive`, or what broke the measurement, in words. */
  readonly reasons: readonly string[];
  /** Which attempt it is about, and the false promotions that it may cost; absent where attempts are not counted. */
  readonly attempt?: AttemptShare;
};
