import type { Arrivals } from './arrivals.ts';
import type { Target } from './target.ts';

/**
 * A bench, whole: which server is asked what, and what is to be found out. Plain data: the same one sends the same requests
 * at the same moments. All times in milliseconds.
 */
export type BenchRequest = BenchSettings & {
  readonly target: Target;
  readonly mode: ModeRequest;
  /** Of arrivals and made-up inputs: a whole number from 0 to 2^31 - 1. */
  readonly seed: number;
};

/** What has a default: `BENCH_DEFAULTS`. */
export type BenchSettings = {
  readonly inputs: InputsRequest;
  /** Each answer is checked against what is expected, or against the first one; answers with a known expectation always are. */
  readonly check: boolean;
  /** How far off a checked number may be, relative and absolute. */
  readonly tolerance: number;
  /** Before each load: sent and shown, but not measured. */
  readonly warmupMs: number;
  /** From the intended start; an answer later than this is not good. */
  readonly deadlineMs: number;
  /** From the sending; an answer that has not come by then is given up. No less than any deadline. */
  readonly timeoutMs: number;
  /** Max concurrent requests, 1 to 100,000; queueing counts towards latency. */
  readonly inFlightMax: number;
  /** Of gRPC, shared by all calls: 1 to 1,000. */
  readonly connections: number;
  /** Generator processes, which share each load: 1 to 64. */
  readonly processes: number;
};

/** Where the inputs come from. `shapes` gives free dimensions by the names of inputs, with or without the batch dimension. */
export type InputsRequest =
  /** Made up from what the model says that it takes: so many different requests, sent in turn. */
  | {
      readonly kind: 'synthetic';
      readonly samples: number;
      /** Rows of each request. */
      readonly batch: number;
      readonly shapes: ShapesByInput;
    }
  /** A JSON file, as perf_analyzer has them. */
  | { readonly kind: 'file'; readonly file: string; readonly shapes: ShapesByInput }
  /** The first `samples` images of a folder. `scale`: what pixels become; undefined: 0..1 for floats, 0..255 for UINT8. */
  | {
      readonly kind: 'images';
      readonly folder: string;
      readonly samples: number;
      readonly scale?: '0..1' | '0..255' | undefined;
      readonly shapes: ShapesByInput;
    };

type ShapesByInput = Readonly<Record<string, readonly number[]>>;

/** What is to be found out. `measuredMs` is without warm-up. */
export type ModeRequest =
  | { readonly kind: 'run'; readonly arrivals: Arrivals; readonly measuredMs: number }
  | {
      readonly kind: 'sweep';
      /** Offered loads as multiples of the capacity, rising. */
      readonly ofCapacity: readonly number[];
      /** Measured at each load; longer, up to six times, where it takes that to see enough requests. */
      readonly pointMs: number;
    }
  | {
      readonly kind: 'compare';
      /** B; the request's target is A. */
      readonly other: Target;
      readonly arrivals: Arrivals;
      readonly rounds: number;
      /** Measured in each block. */
      readonly blockMs: number;
      /** Of each interval: above 0, below 1. */
      readonly confidence: number;
    }
  | {
      readonly kind: 'slo';
      /** The latency to keep, by this share of requests, shown with this confidence. */
      readonly withinMs: number;
      readonly quantile: number;
      readonly confidence: number;
      /** Measured in a proof, at least. */
      readonly proofMs: number;
      /** Requests a second that the search begins with; undefined: half of what one request at a time gets. */
      readonly startPerSecond?: number | undefined;
    }
  | {
      readonly kind: 'soak';
      readonly arrivals: Arrivals;
      readonly measuredMs: number;
      /** The process of this machine whose memory is watched, children too; undefined: none. */
      readonly watchPid?: number | undefined;
    };

export const BENCH_DEFAULTS: BenchSettings = {
  inputs: { kind: 'synthetic', samples: 32, batch: 1, shapes: {} },
  check: false,
  tolerance: 0.001,
  warmupMs: 1_000,
  deadlineMs: 1_000,
  timeoutMs: 30_000,
  inFlightMax: 1_024,
  connections: 4,
  processes: 1,
};
