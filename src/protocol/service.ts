import type { Clock } from '../core/clock.ts';
import type { Entrance } from '../core/entrance.ts';
import type { ServeErrorCode } from '../core/errors.ts';
import type { Exchanges } from '../core/exchange.ts';
import type { ModelRepository } from '../core/model-repository.ts';
import type { Quotas } from '../core/quota.ts';
import type { RequestTraces } from '../core/request-trace.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { VersionStatistics } from '../gateway/model-statistics.ts';
import type { RoutingSettings } from './routing-key.ts';
import type { ServerSettings } from './server-settings.ts';

/** The token under which a label for an answer may come; undefined: none is given out. */
export type TokenFor = (answer: {
  readonly model: string;
  readonly version: string;
  /** The request's id with us. */
  readonly id: string;
}) => string | undefined;

/** All that a protocol asks of the rest of the gateway: the same for every wire. */
export type Service = {
  readonly gateway: Gateway;
  readonly repository: ModelRepository;
  /** Of all versions, of a model's, or of one; versions that have not been loaded yet are left out. */
  readonly statistics: (model?: string, version?: string) => readonly VersionStatistics[];
  readonly settings: ServerSettings;
  readonly routing: (model: string) => RoutingSettings;
  readonly tokenFor: TokenFor;
  /** Asks who calls; undefined: authentication is off. */
  readonly entrance?: Entrance | undefined;
  /** Undefined: callers may send any number of requests. */
  readonly quotas?: Quotas | undefined;
  /** A new id for a request, unique over restarts and machines. */
  readonly newId: () => string;
  readonly clock: Clock;
  /** What hears of each request; undefined: nothing does. */
  readonly exchanges?: Exchanges | undefined;
  /** Undefined: no request is traced. */
  readonly traces?: RequestTraces | undefined;
  /** Called for each inference request that a protocol refuses itself: it could not be decoded, or was too large. */
  readonly onRefused: (model: string, code: ServeErrorCode) => void;
  /** As server metadata reports them. */
  readonly serverName: string;
  readonly serverVersion: string;
  readonly onInternalError: (operation: string, error: unknown) => void;
};
