import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { type Logger, SeverityNumber } from '@opentelemetry/api-logs';
import type { Clock } from '../../core/clock.ts';
import type { Log, LogEntry } from '../../core/log.ts';
import type { WaitingRoom } from './waiting-room.ts';

export type LogBridgeOptions = {
  readonly logger: Logger;
  readonly room: Pick<WaitingRoom, 'enter'>;
  readonly clock: Pick<Clock, 'wallMs'>;
};

const SEVERITY: Readonly<Record<LogEntry['level'], SeverityNumber>> = {
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};

/** A log whose entries go to the collector. The facts `traceId` and `spanId` become the record's trace context. */
export function createLogBridge({ logger, room, clock }: LogBridgeOptions): Log {
  return (entry) => {
    if (!room.enter()) return;
    const { level, message, facts = {} } = entry;
    const { traceId, spanId, ...attributes } = facts;
    logger.emit({
      timestamp: clock.wallMs(),
      severityNumber: SEVERITY[level],
      severityText: level.toUpperCase(),
      body: message,
      attributes,
      context:
        typeof traceId === 'string' && typeof spanId === 'string'
          ? trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED })
          : ROOT_CONTEXT,
    });
  };
}
