import type { Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import type { Joining } from '../../src/core/joining.ts';
import type { ProviderReport } from '../../src/core/provider.ts';
import type { Birth } from '../../src/host/birth.ts';
import { type Host, type HostOptions, startHost } from '../../src/host/host.ts';
import { aFakeSource } from './a-source.ts';

/** What a host reported to its listeners. */
export type HostLog = {
  readonly states: string[];
  readonly batches: { rows: number; requests: number; computeMs: number }[];
  readonly joinings: Joining[];
  readonly rechecks: boolean[];
  readonly unkept: string[];
  readonly providers: ProviderReport[];
  readonly crashes: { signal: string | undefined; inFlight: number; isRestarting: boolean }[];
  readonly crashLoops: string[];
  readonly errors: unknown[];
};

/** Listeners that write down everything. */
export function aHostLog(): { log: HostLog; listeners: HostOptions['listeners'] } {
  const log: HostLog = {
    states: [],
    batches: [],
    joinings: [],
    rechecks: [],
    unkept: [],
    providers: [],
    crashes: [],
    crashLoops: [],
    errors: [],
  };
  return {
    log,
    listeners: {
      onState: (_, state) => log.states.push(state.kind),
      onBatch: (_, batch) => log.batches.push(batch),
      onJoining: (_, joining) => log.joinings.push(joining),
      onRecheck: (_, isSame) => log.rechecks.push(isSame),
      onProvider: (_, provider) => log.providers.push(provider),
      onUnkeptForm: (_, output) => log.unkept.push(output),
      onCrash: (_, { signal, inFlight, isRestarting }) =>
        log.crashes.push({ signal, inFlight, isRestarting }),
      onCrashLoop: (_, detail) => log.crashLoops.push(detail),
      onInternalError: (_, error) => log.errors.push(error),
    },
  };
}

/** As the process that starts it. */
export const A_BIRTH: Birth = { nice: 0, oomScoreAdj: 0, environment: {} };

export type Tested = Pick<Test, 'teardown'>;

/** A host of the fake model with small limits. */
export function aHostOptions(given: Partial<HostOptions> = {}): HostOptions {
  return {
    target: { model: 'm', version: '1' },
    source: aFakeSource(),
    tier: 'thread',
    birth: A_BIRTH,
    replicas: 1,
    batch: { rowsMax: 8, delayMs: 0 },
    joining: { joining: { kind: 'declared', doubt: undefined }, probe: false },
    queue: { requestsMax: 64, bytesMax: 1_000_000 },
    runMsMax: 10_000,
    loadMsMax: 60_000,
    clock: systemClock,
    listeners: aHostLog().listeners,
    ...given,
  };
}

/** The same, started, and closed when the test ends. */
export async function aHost(
  t: Tested,
  given: Partial<HostOptions> = {},
): Promise<{ host: Host; log: HostLog }> {
  const { log, listeners } = aHostLog();
  const host = await startHost(aHostOptions({ listeners, ...given }));
  t.teardown(() => host.close());
  return { host, log };
}
