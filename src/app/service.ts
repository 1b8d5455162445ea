import { programVersion } from '../config/program.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Exchanges } from '../core/exchange.ts';
import type { ModelRepository } from '../core/model-repository.ts';
import type { RequestTraces } from '../core/request-trace.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ModelStatistics } from '../gateway/model-statistics.ts';
import { CallerQuotas } from '../gateway/quotas.ts';
import type { LiveWatch } from '../mirror/live-watch.ts';
import type { Catalog } from '../models/catalog.ts';
import { createRequestIds } from '../protocol/request-ids.ts';
import type { ServerSettings } from '../protocol/server-settings.ts';
import type { Service } from '../protocol/service.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export type ServiceOptions = {
  readonly config: Config;
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly gateway: Gateway;
  readonly repository: ModelRepository;
  readonly statistics: ModelStatistics;
  readonly settings: ServerSettings;
  readonly watch: Pick<LiveWatch, 'tokenFor'>;
  readonly telemetry: Pick<Telemetry, 'onRefused' | 'onOverQuota'>;
  /** Undefined: no request is logged. */
  readonly exchanges?: Exchanges | undefined;
  /** Undefined: no request is traced. */
  readonly traces?: RequestTraces | undefined;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** What every protocol stands on. */
export function createService(options: ServiceOptions): Service {
  const { config, clock, catalog, gateway, repository, statistics, settings, watch } = options;
  const { telemetry, traces, exchanges, onInternalError } = options;
  return {
    gateway,
    repository,
    statistics: (model, version) => {
      if (model === undefined) return statistics.list();
      // An unknown model or version is an error, and aliases are resolved.
      const named = gateway.version(model, version);
      return statistics.list(model, version === undefined ? undefined : named.version);
    },
    settings,
    routing: (model) => catalog.settings(model).routing,
    tokenFor: (answer) => watch.tokenFor(answer),
    quotas: new CallerQuotas({
      rules: () => config.quotas,
      isModel: (model) => catalog.entry(model) !== undefined,
      clock,
      onRefused: telemetry.onOverQuota,
    }),
    newId: createRequestIds(),
    clock,
    traces,
    exchanges,
    // A caller's own word must not become a name in the metrics.
    onRefused: (model, code) => telemetry.onRefused(catalog.entry(model)?.model, code),
    serverName: config.server.name,
    serverVersion: programVersion,
    onInternalError,
  };
}
