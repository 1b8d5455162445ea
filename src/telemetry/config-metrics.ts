import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';

/**
 * What Prometheus says of its own configuration, under the same names, so that its alerts need another prefix only. The
 * configuration that the gateway starts with counts as a reload that succeeded.
 *
 * @returns what to call after each reload, with whether it succeeded.
 */
export function addConfigMetrics(
  registry: Registry,
  clock: Pick<Clock, 'wallMs'>,
): (isSuccess: boolean) => void {
  const successful = new Gauge({
    name: 'understudy_config_last_reload_successful',
    help: '1 if the last configuration reload was successful, else 0',
    registers: [registry],
  });
  const timestamp = new Gauge({
    name: 'understudy_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration was last read successfully, in seconds since 1970',
    registers: [registry],
  });
  const onReload = (isSuccess: boolean): void => {
    successful.set(isSuccess ? 1 : 0);
    if (isSuccess) timestamp.set(clock.wallMs() / 1_000);
  };
  onReload(true);
  return onReload;
}
