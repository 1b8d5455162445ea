import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type * as z from 'zod';
import { messageOf } from '../core/errors.ts';
import { withAbsoluteFile } from './access-log-section.ts';
import { authFrom } from './auth-section.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { formatPath, issuesOf } from './issues.ts';
import { isRecord } from './merge.ts';
import { type Config, configSchema } from './schema.ts';
import { tlsFrom } from './tls-section.ts';
import { withAbsoluteFiles } from './webhooks-section.ts';
import { readYaml } from './yaml-file.ts';

/** What the command line may say instead of the file, in the file's own notation. Paths are relative to the working directory. */
export type ConfigOverrides = {
  readonly http?: string | undefined;
  readonly grpc?: string | undefined;
  readonly admin?: string | undefined;
  readonly repository?: string | undefined;
  readonly ledger?: string | undefined;
};

/**
 * Reads `understudy.yaml`. Paths in it are relative to its own directory. Without a file everything has its default, relative
 * to the working directory.
 *
 * @throws ConfigError with all problems together; a file that cannot be read is one.
 */
export async function loadConfig(
  file: string | undefined,
  overrides: ConfigOverrides = {},
): Promise<Config> {
  return configOf(await readSource(file), overrides);
}

/** @throws ConfigError as `loadConfig` does. */
export async function readSource(file: string | undefined): Promise<ConfigSource> {
  return file === undefined ? NO_FILE : parseSource(file, await textOf(file));
}

/** The configuration as the user wrote it, checked: the file's name, and its keys and values. */
export type ConfigSource = {
  /** Undefined: there is no file, and everything has its default. */
  readonly file: string | undefined;
  readonly values: Readonly<Record<string, unknown>>;
};

export const NO_FILE: ConfigSource = { file: undefined, values: { apiVersion: 'understudy/v1' } };

/** @throws ConfigError with all problems of the text together. */
export function parseSource(file: string, text: string): ConfigSource {
  const { source } = readYaml({ file, text }, configSchema);
  return { file, values: isRecord(source) ? source : {} };
}

/** @throws ConfigError without places in the file: `parseSource` knows those. */
export function configOf({ file, values }: ConfigSource, overrides: ConfigOverrides = {}): Config {
  const { data, error } = configSchema.safeParse(values);
  if (error !== undefined) throw problemsIn(file ?? 'configuration', error);
  const base = file === undefined ? '.' : dirname(file);
  const { models } = values;
  return {
    ...data,
    server: {
      ...serverWith(data, overrides),
      tls: tlsFrom(data.server.tls, (path) => resolve(base, path)),
    },
    auth: data.auth && authFrom(base, data.auth),
    repository: resolve(overrides.repository ?? resolve(base, data.repository)),
    cache: resolve(base, data.cache),
    telemetry: telemetryIn(data.telemetry, base),
    webhooks: withAbsoluteFiles(data.webhooks, base),
    ledger: resolve(overrides.ledger ?? resolve(base, data.ledger)),
    source: isRecord(models) ? models : {},
  };
}

function problemsIn(file: string, error: z.ZodError): ConfigError {
  return new ConfigError(
    issuesOf(error).map(({ path, message }) => ({
      ...{ file, line: 1, column: 1 },
      path: formatPath(path),
      message,
    })),
  );
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const message = `expected a readable file: ${messageOf(cause)}`;
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message }], { cause });
  }
}

/** Checks the overrides by the rules of the file; their problems name the command line. */
function serverWith(
  { server: written, auth }: Pick<Config, 'server' | 'auth'>,
  { http, grpc, admin }: ConfigOverrides,
): Config['server'] {
  const server = {
    ...(http !== undefined && { http }),
    ...(grpc !== undefined && { grpc }),
    ...(admin !== undefined && { admin }),
  };
  const result = configSchema.safeParse({
    apiVersion: 'understudy/v1',
    server,
    ...(auth && { auth: {} }),
  });
  if (!result.success) {
    throw new ConfigError(
      issuesOf(result.error).map(
        ({ path, message }): ConfigProblem => ({
          file: 'command line',
          line: 1,
          column: 1,
          path: `--${path.at(-1)}`,
          message,
        }),
      ),
    );
  }
  return {
    ...written,
    http: http === undefined ? written.http : result.data.server.http,
    grpc: grpc === undefined ? written.grpc : result.data.server.grpc,
    admin: admin === undefined ? written.admin : result.data.server.admin,
  };
}

function telemetryIn(telemetry: Config['telemetry'], base: string): Config['telemetry'] {
  const accessLog = withAbsoluteFile(telemetry.accessLog, base);
  return accessLog === undefined ? telemetry : { ...telemetry, accessLog };
}
