/** How often something happened, and how long it took in all. */
export type Tally = { readonly count: number; readonly ms: number };

/** What one version has done since it was first loaded, as the protocol's statistics count it. */
export type VersionStatistics = {
  readonly model: string;
  readonly version: string;
  /** Wall clock of the last request that was answered; 0: none. */
  readonly lastInferenceMs: number;
  /** Rows of all answered requests. */
  readonly inferences: number;
  /** Runs of the model. */
  readonly executions: number;
  /** Requests that were answered, admission to answer. */
  readonly success: Tally;
  /** Requests that failed, admission to failure. */
  readonly failure: Tally;
  /** Of the answered: waiting for a replica. */
  readonly queue: Tally;
  /** Of the answered: the run of the batch that they were part of. */
  readonly compute: Tally;
  /** Runs by the rows that they had. */
  readonly batches: readonly { readonly rows: number; readonly compute: Tally }[];
};
