import { type App, killChildren } from '../app.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { durationText } from '../core/text.ts';
import { EXIT } from './exit-code.ts';
import type { LogSink } from './log-sink.ts';

/** How long the last lines of the log wait for a reader. */
const LAST_LINES_MS = 1_000;

/** How long a file operation that is left behind may take to end once all else has. */
const LEFT_BEHIND_MS = 2_000;

/** npm and process groups pass one ctrl-C on several times: what comes this soon is not a second one. */
const SAME_SIGNAL_MS = 2_000;

export type StopOptions = {
  /** The gateway; it may still be starting. */
  readonly starting: Promise<App>;
  readonly clock: Clock;
  readonly log: Log;
  readonly sink: LogSink;
  /** From the signal on. Then the process ends, even with work left. */
  readonly exitTimeoutMs: number;
};

export type Stopping = {
  readonly isStopping: () => boolean;
  /** As the signal does. */
  readonly stop: (signal: NodeJS.Signals) => void;
  /** As a signal does, for a fault that nothing can be served after: the exit code is 1. */
  readonly fail: (why: string) => void;
};

/**
 * Ends the process at SIGTERM and SIGINT: once it is quiet, or at the time limit, or at a second signal. One that is
 * still starting has to listen as well: the first process of a container hears no signal that it has no listener for.
 */
export function stopOnSignals(options: StopOptions): Stopping {
  const { starting, clock, log, sink, exitTimeoutMs } = options;
  let app: App | undefined;
  let sinceMs: number | undefined;
  let isEnding = false;
  const endNow = (why: string): void => {
    if (isEnding) return;
    isEnding = true;
    log({ level: 'error', message: `${why}; left: ${app?.left() ?? 'the start'}` });
    void endHard(log, sink);
  };
  // All that can be done is done, and the system's time limit may be shorter than ours.
  const endHeld = (): void => {
    if (isEnding) return;
    isEnding = true;
    // Else it is a connection to a collector that does not answer, say.
    if (heldThreads().length > 0) void endHard(log, sink);
    else process.exit();
  };
  const begin = (): void => {
    sinceMs = clock.monotonicMs();
    setTimeout(
      () => endNow(`not stopped within ${durationText(exitTimeoutMs)}; exiting by force`),
      exitTimeoutMs,
    ).unref();
    void closeAndEnd(options).then(() => setTimeout(endHeld, LEFT_BEHIND_MS).unref());
  };
  const stop = (signal: NodeJS.Signals): void => {
    if (sinceMs !== undefined) {
      if (clock.monotonicMs() - sinceMs > SAME_SIGNAL_MS)
        endNow(`${signal} again; exiting by force`);
      else log({ level: 'info', message: `${signal}: already stopping` });
      return;
    }
    log({ level: 'info', message: `${signal}: no new requests; answering those in flight` });
    begin();
  };
  starting.then(
    (started) => {
      app = started;
    },
    () => undefined,
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  // Without a listener Node opens its inspector, by which anything on this machine could run code here.
  process.on('SIGUSR1', () =>
    log({ level: 'info', message: 'SIGUSR1: ignored, no inspector opened' }),
  );
  const fail = (why: string): void => {
    if (sinceMs !== undefined) return;
    log({ level: 'error', message: why });
    process.exitCode = EXIT.failed;
    begin();
  };
  return { isStopping: () => sinceMs !== undefined, stop, fail };
}

async function closeAndEnd({ starting, log, sink }: StopOptions): Promise<void> {
  try {
    await (await starting).close();
    log({ level: 'info', message: 'stopped' });
  } catch (error) {
    log({ level: 'error', message: `stop failed (${messageOf(error)})` });
    process.exitCode = EXIT.failed;
  }
  // Lines that wait for a reader would keep the process alive for as long as the reader stands still.
  if (!(await sink.flushed(LAST_LINES_MS))) process.exit();
}

/**
 * Ends the process with what it still does. `process.exit` waits for threads: it would never return from a file operation or a
 * run in this process that hangs. Then only a kill ends it, and for the first process of a container, which cannot be killed
 * from inside, an abort.
 */
async function endHard(log: Log, sink: LogSink): Promise<void> {
  killChildren();
  const held = heldThreads();
  if (held.length > 0)
    log({
      level: 'error',
      message: 'thread held; killing this process, without an exit code',
      facts: { held: held.join(',') },
    });
  await sink.flushed(LAST_LINES_MS);
  killChildren();
  if (held.length === 0) process.exit(EXIT.failed);
  process.kill(process.pid, 'SIGKILL');
  process.abort();
}

/** What holds threads of this process at present, by the names that Node has for it. */
function heldThreads(): readonly string[] {
  const held = process.getActiveResourcesInfo().filter((name) => /^FSReq|Worker/.test(name));
  return [...new Set(held)];
}
