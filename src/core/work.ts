import type { BatchInfo, InferRequest, RequestContext } from './infer.ts';
import type { Observation } from './outcome.ts';

/** What a version at work needs of a request. An InferRequest is one as it is; only this part crosses to a child process. */
export type Work = RequestContext & Pick<InferRequest, 'inputs' | 'outputs' | 'priority' | 'scan'>;

/** A request, and which of a host's sources are to run it, in this order. */
export type Planned = { readonly work: Work; readonly plan: readonly number[] };

/** What became of one request: an observation for each entry of its plan. */
export type Answer = {
  readonly runs: readonly Observation[];
  /** Waiting for a replica, milliseconds. */
  readonly queueMs: number;
  readonly batch: BatchInfo;
};
