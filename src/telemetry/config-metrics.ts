import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';

/**
 * The two metrics that Prometheus has of its own configuration, under the same names, so that its alerts need another
 * prefix only. The configuration that the gateway starts with counts as a successful reload.
 *
 * @returns a listener for reloads: whether one succeeded.
 */
export function addConfigMetrics(
  registry: Registry,
  clock: Pick<Clock, 'wallMs'>,
): (isSuccess: boolean) => void {
  const successful = new Gauge({
    name: 'understudy_config_last_reload_successful',
    help: 'Whether the last configuration reload was successful (1) or not (0)',
    registers: [registry],
  });
  const timestamp = new Gauge({
    name: 'understudy_config_last_reload_success_timestamp_seconds',
    help: 'Unix time of the last successful configuration reload',
    registers: [registry],
  });
  const onReload = (isSuccess: boolean): void => {
    successful.set(isSuccess ? 1 : 0);
    if (isSuccess) timestamp.set(clock.wallMs() / 1_000);
  };
  onReload(true);
  return onReload;
}
