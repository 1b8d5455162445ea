import { isIPv6 } from 'node:net';
import { startApp } from '../app.ts';
import { ConfigError } from '../config/config-error.ts';
import { ConfigFile } from '../config/config-file.ts';
import { readEnvironment } from '../config/environment.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { ReloadableFile } from '../models/config-reload.ts';
import { collectRarely } from '../process/collect-rarely.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { createLog, dropNotice } from './log.ts';
import { standardErrorSink } from './log-sink.ts';
import { reloadOnSignal } from './reload-on-signal.ts';
import { stopOnSignals } from './stop.ts';

/** The longest deadline that a request can have is an hour; its run comes on top. */
const EXIT_TIMEOUT_S_MAX = 86_400;

export type ServeOptions = {
  readonly config?: string;
  /** In place of the configured model. */
  readonly max?: string;
  readonly logJson?: boolean;
  /** Seconds. */
  readonly exitTimeout: string;
};

/** Serves until SIGTERM or SIGINT; then answers what is in flight and ends with code 0. */
export async function serve(options: ServeOptions): Promise<void> {
  collectRarely();
  const exitTimeoutMs = readExitTimeout(options.exitTimeout);
  const environment = readEnvironment();
  const format = { json: options.logJson === true, nowMs: systemClock.wallMs };
  const sink = standardErrorSink(dropNotice(format));
  const log = createLog(sink, format);
  const configFile = await readConfig(options.config ?? environment.configFile, options.max);
  const config = configFile.file.configOf(configFile.source);
  const { feedbackSecret, keyPepper, runtime, otlp, webhookSecrets } = environment;
  const secrets = { feedbackSecret, keyPepper, webhookSecrets };
  const read = { config, configFile, otlp, ...secrets };
  const starting = startApp({ ...read, log, environment: runtime });
  const stopping = stopOnSignals({ starting, clock: systemClock, log, sink, exitTimeoutMs });
  reloadOnSignal({ starting, log, ...stopping });
  const app = await starting;
  app.started.catch((error: unknown) => stopping.fail(messageOf(error)));
  const { http, tls } = config.server;
  const { host } = http;
  const scheme = tls?.ports.includes('http') ? 'https' : 'http';
  log({
    level: 'info',
    message: `answering at ${scheme}://${isIPv6(host) ? `[${host}]` : host}:${app.httpPort}`,
    facts: {
      grpc: app.grpcPort,
      admin: app.adminPort,
      ...(app.metricsPort !== undefined && { metrics: app.metricsPort }),
    },
  });
}

/** The option in milliseconds. */
function readExitTimeout(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= EXIT_TIMEOUT_S_MAX)
    return seconds * 1_000;
  throw new CommandError(
    EXIT.usage,
    `--exit-timeout: expected whole seconds from 1 to ${EXIT_TIMEOUT_S_MAX}, found "${text}"`,
  );
}

/** The file that was named, else `understudy.yaml` if there is one, else all defaults. */
async function readConfig(
  named: string | undefined,
  max: string | undefined,
): Promise<ReloadableFile> {
  try {
    const file = new ConfigFile(named, { override: (config) => withModelAsset(config, max) });
    return { file, source: await file.readFirst() };
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CommandError(EXIT.usage, error.message, { cause: error });
    throw error;
  }
}

function withModelAsset(config: Config, model: string | undefined): Config {
  if (model === undefined) return config;
  const { server } = config;
  return { ...config, server: { ...server, max: { cors: server.max?.cors ?? false, model } } };
}
