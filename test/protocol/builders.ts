import { systemClock } from '../../src/core/clock.ts';
import { createRequestIds } from '../../src/protocol/request-ids.ts';
import type { RoutingSettings } from '../../src/protocol/routing-key.ts';
import type { Service } from '../../src/protocol/service.ts';
import { aGateway } from '../gateway/builders.ts';

export const PLAIN_ROUTING: RoutingSettings = {
  sticky: undefined,
  attributes: {},
  ruleHeaders: [],
  deadlineMs: 5_000,
};

/** What a protocol stands on: a gateway whose model `m` gives back two numbers a row, and a repository that holds nothing. */
export function aService(parts: Partial<Service> = {}): Service {
  return {
    gateway: aGateway(),
    repository: { index: async () => [], load: async () => {}, unload: async () => {} },
    statistics: () => [],
    settings: {
      log: () => ({ logInfo: true, logWarning: true, logError: true }),
      setLog: () => {},
    },
    routing: () => PLAIN_ROUTING,
    tokenFor: () => 'token',
    newId: createRequestIds(),
    clock: systemClock,
    onRefused: () => {},
    serverName: 'understudy',
    serverVersion: '0.0.0',
    onInternalError: () => {},
    ...parts,
  };
}
