import { programVersion } from '../config/program.ts';
import { modelConfig } from '../config/schema.ts';
import { ServeError } from '../core/errors.ts';
import { createRequestIds } from '../protocol/request-ids.ts';
import type { Service } from '../protocol/service.ts';
import type { DataPlaneOptions } from './servers.ts';

/** What every protocol stands on. */
export function createService(options: DataPlaneOptions): Service {
  const { config, clock, gateway, judges, onInternalError } = options;
  return {
    gateway,
    repository: {
      index: async () => [],
      load: refuseControl,
      unload: refuseControl,
    },
    statistics: () => [],
    settings: {
      log: () => ({ logInfo: true, logWarning: true, logError: true }),
      setLog: () => {},
    },
    identity: (model) => modelConfig(config, model).identity,
    tokenFor: (answer) => judges.tokenFor(answer),
    newId: createRequestIds(),
    clock,
    serverName: config.server.name,
    serverVersion: programVersion,
    onInternalError,
  };
}

async function refuseControl(): Promise<never> {
  throw new ServeError(
    'not_allowed',
    'explicit model load / unload is not allowed: expected server.modelControl explicit, found none',
  );
}
