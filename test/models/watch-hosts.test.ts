import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { ModelStatistics } from '../../src/gateway/model-statistics.ts';
import { watchHosts } from '../../src/models/watch-hosts.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

t.test('a crash loop is reported of every version that may be on trial', async (t) => {
  const [entries, trips]: [LogEntry[], string[]] = [[], []];
  const telemetry = createTelemetry({
    clock: new HandClock(),
    version: '0',
    inFlight: () => 0,
    heldBytes: () => ({}),
    rollouts: () => [],
    ledger: () => ({ kind: 'healthy', unrecorded: 0, records: 0, bytes: 0 }),
  });
  const statistics = new ModelStatistics({ clock: new HandClock(), hasRows: () => true });
  const listeners = watchHosts({
    telemetry,
    statistics,
    log: (entry) => entries.push(entry),
    report: ({ target, trip }) => trips.push(`${target.version} ${trip.cause}: ${trip.detail}`),
    onInternalError: (_, error) => t.fail(String(error)),
  });
  const at = (version: string) => ({ model: 'fashion', version });
  listeners('control').onCrashLoop(at('1'), 'SIGSEGV');
  t.same(trips, [], 'control is never on trial');
  // In a holdback the candidate is stable too; who is on trial is known where the report comes in.
  for (const role of ['main', 'candidate', 'shadow'] as const)
    listeners(role).onCrashLoop(at('2'), 'SIGBUS');
  t.same(trips, ['2 crashLoop: SIGBUS', '2 crashLoop: SIGBUS', '2 crashLoop: SIGBUS']);
  const crash = { signal: 'SIGSEGV', exitCode: undefined, inFlight: 3 };
  listeners('main').onCrash(at('1'), { ...crash, isRestarting: true });
  t.match(entries.at(-1)?.message, /exited \(SIGSEGV\), 3 requests in flight lost; restarting$/);
  listeners('shadow').onCrash(at('2'), { ...crash, isRestarting: false });
  t.match(entries.at(-1)?.message, /exited \(SIGSEGV\), 3 requests in flight lost; giving up$/);
  listeners('main').onState(at('1'), { kind: 'failed', reason: 'no file' });
  t.match(entries.at(-1), { level: 'error', message: 'failed: no file' });
  const batch = { rows: 2, requests: 1, computeMs: 3 };
  listeners('main').onState(at('1'), { kind: 'ready' });
  for (const role of ['main', 'shadow'] as const) listeners(role).onBatch(at('1'), batch);
  t.equal(statistics.list('fashion', '1')[0]?.executions, 1, 'the shadow answers no client');
});
