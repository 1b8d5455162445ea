import { messageOf } from '../core/errors.ts';
import type { InferRequest } from '../core/infer.ts';
import type { Log, LogEntry } from '../core/log.ts';
import { idsOf } from '../core/traceparent.ts';
import type { Telemetry } from './telemetry.ts';

/** What the log names a request by. */
type NamedRequest = Pick<InferRequest, 'id' | 'callerId' | 'traceparent'>;

/** Reports unexpected errors; of a request, with its id (the caller's, if it gave one) and its trace. */
export function reportInternalErrors(
  telemetry: Pick<Telemetry, 'onInternalError'>,
  log: Log,
): (operation: string, error: unknown, request?: NamedRequest) => void {
  return (operation, error, request) => {
    telemetry.onInternalError(operation.split(' ')[0] ?? operation);
    const facts = { operation, ...(request && factsOf(request)) };
    log({ level: 'error', message: messageOf(error), facts });
  };
}

function factsOf({ id, callerId, traceparent }: NamedRequest): LogEntry['facts'] {
  return { requestId: callerId ?? id, ...(traceparent !== undefined && idsOf(traceparent)) };
}
