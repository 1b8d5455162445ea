/**
 * What a reload of the configuration makes of one key: `applied` to what runs; `restart`: it stays as it is until the gateway
 * starts again.
 */
export type ChangeEffect = 'applied' | 'restart';

/** One key whose value in the file differs from the running one. Values are for display: short, and without secrets. */
export type ConfigChange = {
  /** Dotted, such as `models.fashion.queue.deadlineMs`. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly effect: ChangeEffect;
};
