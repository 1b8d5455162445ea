import t from 'tap';
import { startHost } from '../../src/host/host.ts';
import { boundedLoad } from '../../src/host/load-bounds.ts';
import { aHostLog, aHostOptions } from '../support/a-host.ts';
import { aFakeSource } from '../support/a-source.ts';
import { until } from '../support/until.ts';

const NEVER = new Promise<never>(() => undefined);

t.test('a bound of a load is distinguished from its failure', async (t) => {
  t.equal(await boundedLoad(Promise.resolve(1), { loadMsMax: 60_000 }), 1);
  const broken = Promise.reject(new Error('no such file'));
  await t.rejects(boundedLoad(broken, { loadMsMax: 60_000 }), { message: 'no such file' });
  await t.rejects(boundedLoad(NEVER, { loadMsMax: 1 }), { message: /longer than 1 ms/ });
  const signal = AbortSignal.abort();
  await t.rejects(boundedLoad(NEVER, { loadMsMax: 60_000, signal }), { message: /given up/ });
});

t.test('a load that is given up ends immediately with its process', async (t) => {
  const cancel = new AbortController();
  const { log, listeners } = aHostLog();
  const source = aFakeSource('loadMs=60000');
  const parts = { tier: 'process', source, listeners, signal: cancel.signal } as const;
  const starting = startHost(aHostOptions(parts));
  starting.catch(() => undefined);
  await until('it loads', () => log.states.includes('loading'));
  cancel.abort();
  await t.rejects(starting, { code: 'version_not_ready', message: /its load was given up/ });
  t.same(log.states, ['loading', 'draining', 'unloaded'], 'which is no failure');
});

t.test('files that cannot be checked in time keep no load waiting', async (t) => {
  const checkFiles = (): Promise<void> => NEVER;
  for (const tier of ['process', 'thread'] as const)
    await t.rejects(startHost(aHostOptions({ tier, checkFiles, loadMsMax: 10 })), {
      message: /loading took longer than 10 ms/,
    });
});
