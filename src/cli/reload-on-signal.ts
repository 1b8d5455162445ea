import { isatty } from 'node:tty';
import type { App } from '../app.ts';
import type { Log } from '../core/log.ts';

export type ReloadOnSignalOptions = {
  /** The gateway; it may still be starting. */
  readonly starting: Promise<App>;
  readonly log: Log;
  /** True from the moment that the process is to end. */
  readonly isStopping: () => boolean;
  readonly stop: (signal: NodeJS.Signals) => void;
};

const STANDARD_STREAMS = [0, 1, 2] as const;

/**
 * SIGHUP reads the configuration again, as it does with nginx and Prometheus. Where the gateway ran in a terminal and the
 * terminal is gone, SIGHUP says that instead, and stops the gateway in order.
 */
export function reloadOnSignal({ starting, log, isStopping, stop }: ReloadOnSignalOptions): void {
  const terminals = STANDARD_STREAMS.filter((fd) => isatty(fd));
  let waiting = 0;
  const reload = async (): Promise<void> => {
    // A start that fails says so itself, and so does a reload.
    const app = await starting.catch(() => undefined);
    await app
      ?.reload({ actor: 'SIGHUP', reason: 'SIGHUP', isDryRun: false })
      .catch(() => undefined);
  };
  process.on('SIGHUP', (signal) => {
    if (terminals.length > 0 && !terminals.some((fd) => isatty(fd))) return stop(signal);
    if (isStopping()) return log({ level: 'info', message: `${signal}: already stopping` });
    // One at work may have read the file before the last change; one more that waits reads all changes.
    if (waiting >= 2) return;
    waiting += 1;
    void reload().finally(() => {
      waiting -= 1;
    });
  });
}
