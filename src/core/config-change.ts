/**
 * What a reload of the configuration makes of one key: `applied` to what runs; `restart`: it stays as it is until the gateway
 * starts again.
 */
export type ChangeEffect = 'applied' | 'restart';

/** One key that the file has otherwise than what runs. Values are texts for people: short, and without secrets. */
export type ConfigChange = {
  /** Dotted, such as `models.fashion.queue.deadlineMs`. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly effect: ChangeEffect;
};
