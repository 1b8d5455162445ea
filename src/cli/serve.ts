import { existsSync } from 'node:fs';
import { collectRarely } from '../app/collect-rarely.ts';
import { type App, startApp } from '../app.ts';
import { ConfigError } from '../config/config-error.ts';
import { readEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { createLog, dropNotice } from './log.ts';
import { type LogSink, standardErrorSink } from './log-sink.ts';

const CONFIG_FILE = 'understudy.yaml';

/** How long the last lines of the log wait for a reader, once everything is released. */
const LAST_LINES_MS = 1_000;

export type ServeOptions = {
  readonly config?: string;
  /** In place of the configured model. */
  readonly max?: string;
  readonly logJson?: boolean;
};

/** Serves until SIGTERM or SIGINT; then answers what is in flight and ends with code 0. */
export async function serve(options: ServeOptions): Promise<void> {
  collectRarely();
  const environment = readEnvironment();
  const format = { json: options.logJson === true, nowMs: systemClock.wallMs };
  const sink = standardErrorSink(dropNotice(format));
  const log = createLog(sink, format);
  const config = withMax(await readConfig(options.config ?? environment.configFile), options.max);
  const { feedbackSecret, runtime } = environment;
  const starting = startApp({ config, log, feedbackSecret, environment: runtime });
  stopOnSignals(starting, log, sink);
  const app = await starting;
  const { host } = config.server.http;
  log({
    level: 'info',
    message: `answering at http://${host}:${app.httpPort}`,
    facts: { grpc: app.grpcPort, admin: app.adminPort },
  });
}

/**
 * Ends the process once it is quiet; one that is still starting, once it has started: the first process of a container hears
 * no signal that it has no listener for. A second signal changes nothing: a run that is cut off would abort the process.
 */
function stopOnSignals(starting: Promise<App>, log: Log, sink: LogSink): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) {
      log({ level: 'info', message: `${signal}: already stopping; answering what is in flight` });
      return;
    }
    isStopping = true;
    log({ level: 'info', message: `${signal}: no new requests; answering those in flight` });
    void starting
      .then((app) => app.close())
      .then(
        () => log({ level: 'info', message: 'stopped' }),
        (error: unknown) => {
          log({ level: 'error', message: `could not stop cleanly: ${messageOf(error)}` });
          process.exitCode = EXIT.failed;
        },
      )
      .then(() => endUnread(sink));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Lines that wait for a reader of the log would keep the process alive for as long as the reader stands still. */
async function endUnread(sink: LogSink): Promise<void> {
  if (!(await sink.flushed(LAST_LINES_MS))) process.exit();
}

/** The file that was named, else `understudy.yaml` if there is one, else all defaults. */
async function readConfig(named: string | undefined): Promise<Config> {
  try {
    return await loadConfig(named ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined));
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CommandError(EXIT.usage, error.message, { cause: error });
    throw error;
  }
}

function withMax(config: Config, model: string | undefined): Config {
  if (model === undefined) return config;
  const { server } = config;
  return { ...config, server: { ...server, max: { cors: server.max?.cors ?? false, model } } };
}
