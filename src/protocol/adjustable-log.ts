import type { Log, LogEntry } from '../core/log.ts';
import type { LogSettings, ServerSettings } from './server-settings.ts';

const SWITCH_OF = {
  info: 'logInfo',
  warn: 'logWarning',
  error: 'logError',
} as const satisfies Record<LogEntry['level'], keyof LogSettings>;

/** A log that callers may turn down while the server runs, and the switches for it. */
export function adjustableLog(log: Log): { readonly log: Log; readonly settings: ServerSettings } {
  let present: LogSettings = { logInfo: true, logWarning: true, logError: true };
  return {
    log: (entry) => {
      if (present[SWITCH_OF[entry.level]]) log(entry);
    },
    settings: {
      log: () => present,
      setLog: (changes) => {
        present = { ...present, ...changes };
      },
    },
  };
}
