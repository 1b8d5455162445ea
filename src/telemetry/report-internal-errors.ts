import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Telemetry } from './telemetry.ts';

/** Reports errors outside any request. */
export function reportInternalErrors(
  telemetry: Pick<Telemetry, 'onInternalError'>,
  log: Log,
): (operation: string, error: unknown) => void {
  return (operation, error) => {
    telemetry.onInternalError(operation.split(' ')[0] ?? operation);
    log({ level: 'error', message: messageOf(error), facts: { operation } });
  };
}
