/** How long a suite measures. */
export type Effort = {
  /** Rounds of interleaved blocks; each kind of block is measured once in each. */
  readonly rounds: number;
  readonly blockMs: number;
  /** Before each block, not measured. */
  readonly warmupMs: number;
};
