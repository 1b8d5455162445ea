import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { adjustableLog } from '../../src/app/log-settings.ts';
import { createStage } from '../../src/app/stage.ts';
import { watchHosts } from '../../src/app/watch-hosts.ts';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { HandClock } from '../../src/core/clock.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { LogEntry } from '../../src/core/log.ts';
import type { Route } from '../../src/core/route.ts';
import { ModelStatistics } from '../../src/gateway/model-statistics.ts';
import type { Lane } from '../../src/host/lane.ts';
import { Catalog } from '../../src/models/catalog.ts';
import { initialRoutes } from '../../src/models/initial-routes.ts';
import { Lanes, type LaneTarget } from '../../src/models/lanes.ts';
import { namesNotFound, recordedNotFound } from '../../src/models/names-not-found.ts';
import { overruledRoutes } from '../../src/models/overruled-routes.ts';
import type { Seat } from '../../src/models/residency.ts';
import { seatsOf } from '../../src/models/seats-of.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { Trial } from '../../src/trials/trial.ts';
import { anEntry, aPackage, aPair } from '../models/builders.ts';
import { aRollout, aRoute, aSpec } from '../rollout/builders.ts';

const folder = await mkdtemp(join(tmpdir(), 'understudy-app-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const packages = ['9', '10', '2'].map((version) => aPackage(version));
const aCatalog = (config: Config) => new Catalog(config, [anEntry(config, packages)]);

async function aConfig(models: string): Promise<Config> {
  const file = join(folder, 'understudy.yaml');
  await writeFile(file, `apiVersion: understudy/v1\nmodels: ${models}\n`);
  return loadConfig(file);
}

t.test('a model of which nothing is written sends everybody to its newest version', async (t) => {
  const [route] = initialRoutes(aCatalog(await aConfig('{}')));
  t.equal(route?.stable, '10', 'versions are numbers where they look like them');
  t.same(route?.shares, [{ arm: 'stable', version: '10', weightBp: 10_000 }]);
});

t.test('a written split is kept, and only the stable share of it is called stable', async (t) => {
  const written = '{ fashion: { route: { stable: "2", split: { "2": 95, "9": 5 } } } }';
  const [route] = initialRoutes(aCatalog(await aConfig(written)));
  t.same(
    new Set(route?.shares),
    new Set([
      { arm: 'stable', version: '2', weightBp: 9_500 },
      { arm: 'other', version: '9', weightBp: 500 },
    ]),
  );
  const [again] = initialRoutes(aCatalog(await aConfig(written)));
  t.equal(again?.salt, route?.salt, 'a restart sends every unit where it went before');
});

t.test(
  'what a trial has loaded in vain is closed when it ends, even if no route changes',
  async (t) => {
    const route = aRoute();
    const log: string[] = [];
    const stage = createStage({
      routes: { read: () => route },
      residence: {
        prepare: async ({ mirror }) => {
          log.push(`prepare ${mirror?.version}`);
          throw new Error('no such file');
        },
        isPrepared: () => false,
        settle: async (kept) =>
          void log.push(kept === route ? 'settle the present route' : 'settle another'),
      },
      judges: { open: () => undefined, close: ({ id }) => log.push(`close ${id}`) },
    });
    await t.rejects(stage.prepare(aRollout(), AbortSignal.abort()), { message: 'no such file' });
    await stage.release(aRollout());
    t.same(log, ['prepare 2', 'close fashion-2-1', 'settle the present route']);
  },
);

t.test('a written route that the ledger overrules is told, with how to change it', async (t) => {
  const config = await aConfig('{ fashion: { route: { stable: "2" } } }');
  const read = (fields: Partial<Route>) => ({
    read: () => ({ ...aRoute(), ...fields }),
  });
  const toldOf = (fields: Partial<Route>) => overruledRoutes(aCatalog(config), read(fields));
  const mirror = { version: '10', sampleBp: 2_000, twinBp: 0 };
  t.same(toldOf({ stable: '9', mirror }), [
    'models.fashion.route: the file says stable 2; the ledger says stable 9, 20 % mirrored to 10 and wins. To change it: PUT /api/v1/models/fashion/route',
  ]);
  t.same(toldOf({ stable: '2' }), []);
  const unwritten = await aConfig('{}');
  t.same(overruledRoutes(aCatalog(unwritten), read({ stable: '9' })), [], 'nothing was written');
});

t.test('what the configuration names and the repository lacks is found, key by key', async (t) => {
  const written = `{ fashoin: {}, fashion: { route: { stable: "1", split: { "1": 90, "2": 10 },
    rules: [{ match: { header: { x-canary: "yes" } }, version: "7" }],
    mirror: [{ version: "8", percentage: 5 }] } } }`;
  const config = await aConfig(written);
  const found = namesNotFound(config, aCatalog(config));
  t.same(
    found.map((sentence) => [sentence.split(':')[0], /found "(.*?)"/.exec(sentence)?.[1]]),
    [
      ['models.fashoin', 'fashoin'],
      ['models.fashion.route.stable', '1'],
      ['models.fashion.route.split', '1'],
      ['models.fashion.route.rules', '7'],
      ['models.fashion.route.mirror', '8'],
    ],
  );
  const whole = await aConfig('{ fashion: { route: { stable: "2" } } }');
  t.same(namesNotFound(whole, aCatalog(whole)), []);
});

t.test('what the ledger remembers and the repository lacks is found, but told once', async (t) => {
  const config = await aConfig('{ fashion: { route: { stable: "7" } } }');
  const route = aRoute({
    stable: '7',
    shares: [
      { arm: 'stable', version: '2', weightBp: 9_000 },
      { arm: 'other', version: '4', weightBp: 1_000 },
    ],
    mirror: { version: '5', sampleBp: 1_000, twinBp: 0 },
  });
  const known = 'route of fashion: expected a version of the repository ("9", "10", "2")';
  t.same(recordedNotFound(config, aCatalog(config), [route]), [
    `${known}, found "4": requests for it are refused`,
    `${known}, found "5": requests for it are refused`,
  ]);
});

t.test('a canary with control takes three seats, and its rules no further ones', async (t) => {
  const route = aRoute({
    shares: [
      { arm: 'stable', version: '1', weightBp: 8_000 },
      { arm: 'candidate', version: '2', weightBp: 1_000 },
      { arm: 'control', version: '1', weightBp: 1_000 },
    ],
    rules: [{ attribute: 'tester', equals: 'yes', version: '2' }],
    aliases: { old: '1' },
  });
  const named = (seats: readonly Seat[]) =>
    seats.map(({ target, role }) => `${target.version} ${role}`).sort();
  const entry = anEntry(await aConfig('{}'), [aPackage('1'), aPackage('2')]);
  t.same(named(seatsOf(route, entry).required), ['1 control', '1 main', '2 candidate']);
  const rules = [{ attribute: 'tester', equals: 'yes', version: '2' }];
  t.same(named(seatsOf(aRoute({ rules }), entry).required), ['1 main', '2 main']);
  t.same(seatsOf(aRoute(), entry).resident, [], 'what no route leads to is not loaded');
  const all = anEntry(await aConfig('{ fashion: { versions: all } }'), [
    ...packages,
    aPackage('1'),
  ]);
  t.same(named(seatsOf(route, all).resident), ['10 main', '9 main'], 'unless the policy says so');
});

/** Lanes that start at once; `started` and `closed` say which. */
function someLanes(): { lanes: Lanes; started: string[]; closed: string[]; errors: unknown[] } {
  const [started, closed, errors]: [string[], string[], unknown[]] = [[], [], []];
  const startLane = async ({ candidate, twin }: LaneTarget): Promise<Lane> => {
    if (candidate === 'broken') throw new Error('cannot be loaded');
    started.push(`${candidate}/${twin}`);
    return {
      run: () => Promise.reject(new Error('not asked for here')),
      waiting: () => 0,
      backlogBytes: () => 0,
      life: () => ({ kind: 'ready' }),
      pid: () => undefined,
      close: async () => void closed.push(`${candidate}/${twin}`),
    };
  };
  const onInternalError = (_: string, error: unknown): void => void errors.push(error);
  return { lanes: new Lanes({ startLane, onInternalError }), started, closed, errors };
}

const laneOf = (candidate: string, build = 'b1'): LaneTarget => ({
  model: 'fashion',
  candidate,
  twin: '1',
  build,
});

t.test('a lane is there before a route mirrors to it, once, and gone after', async (t) => {
  const { lanes, started, closed } = someLanes();
  await lanes.prepare('fashion', laneOf('2'));
  await lanes.prepare('fashion', laneOf('2'));
  await lanes.settle('fashion', laneOf('2'));
  t.same([started, closed], [['2/1'], []]);
  t.ok(lanes.find('fashion', '2'));
  t.equal(lanes.find('fashion', '3'), undefined);
  await lanes.prepare('fashion', laneOf('3'));
  t.same([started, closed], [['2/1', '3/1'], ['2/1']], 'another candidate, another lane');
  await lanes.prepare('fashion', laneOf('3', 'b2'));
  t.same(
    [started, closed],
    [
      ['2/1', '3/1', '3/1'],
      ['2/1', '3/1'],
    ],
    'and another build',
  );
  await lanes.settle('fashion', undefined);
  await lanes.close();
  t.same(closed, ['2/1', '3/1', '3/1']);
  t.equal(lanes.find('fashion', '3'), undefined);
});

t.test('a lane that cannot start leaves the one there is', async (t) => {
  const { lanes, closed } = someLanes();
  await lanes.prepare('fashion', laneOf('2'));
  await t.rejects(lanes.prepare('fashion', laneOf('broken')), /cannot be loaded/);
  t.ok(lanes.find('fashion', '2'));
  t.same(closed, []);
  await lanes.close();
});

t.test('a lane on its way is loaded once, and given up with who wanted it', async (t) => {
  const signals: AbortSignal[] = [];
  const startLane = (_: LaneTarget, signal: AbortSignal): Promise<Lane> => {
    signals.push(signal);
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('ended by force')));
    });
  };
  const lanes = new Lanes({ startLane, onInternalError: () => undefined });
  const { signal, abort } = aSignal();
  const loads = [
    lanes.prepare('fashion', laneOf('2'), signal),
    lanes.prepare('fashion', laneOf('2')),
  ];
  t.equal(signals.length, 1);
  abort();
  for (const load of loads) await t.rejects(load, { message: 'ended by force' });
  t.equal(lanes.isPrepared('fashion', laneOf('2')), false);
  await lanes.close();
  await t.rejects(lanes.prepare('fashion', laneOf('2')), { message: /its load was given up/ });
});

function aSignal(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

function aTrial(stable = aPackage('1'), candidate = aPackage('2')): Trial {
  const spec = aSpec({ slices: [{ tone: 'dark' }] });
  return new Trial({
    rollout: aRollout({ spec }),
    from: NO_EVIDENCE,
    stable,
    candidate,
    feedback: { ttlMs: 60_000, requestsMax: 100 },
    clock: new HandClock(),
  });
}

t.test('a label finds its pair, whichever comes first', async (t) => {
  const trial = aTrial();
  for (const requestId of ['a', 'b']) trial.expect(requestId);
  t.equal(trial.label({ requestId: 'a', issuedMs: 0 }, 'coat'), 'waiting');
  trial.offer(aPair('a', { stable: 1, candidate: 2 }));
  trial.offer(aPair('b', { stable: 0, candidate: 0 }));
  t.equal(trial.label({ requestId: 'b', issuedMs: 0 }, 0), 'joined');
  const { labels, labelledLoss, labelledLossBySlice } = trial.window.snapshot();
  t.equal(labels.joined, 2);
  // Both in steps of 1/1000: the candidate was worse once, by all there is, and once they were equal.
  t.same(labelledLoss.up, { 0: 1, 1000: 1 });
  t.same(labelledLossBySlice['tone=dark'], labelledLoss, 'all of them were dark');
});

t.test('a label that no version could answer is refused, and can be corrected', async (t) => {
  const trial = aTrial();
  trial.expect('a');
  t.throws(() => trial.label({ requestId: 'a', issuedMs: 0 }, 'trousers'), {
    code: 'invalid_input',
  });
  trial.offer(aPair('a', { stable: 1, candidate: 1 }));
  t.equal(trial.label({ requestId: 'a', issuedMs: 0 }, 'coat'), 'joined');
});

t.test('a label of a request that came to no pair is counted, not joined', async (t) => {
  const trial = aTrial();
  trial.expect('a');
  trial.abandon('a');
  t.equal(trial.label({ requestId: 'a', issuedMs: 0 }, 'coat'), 'unmatched');
  t.same(trial.window.snapshot().labels, { joined: 0, unmatched: 1 });
});

t.test('of a task without a loss pairs are compared and labels join nothing', async (t) => {
  const trial = aTrial(aPackage('1', { task: 'detection' }), aPackage('2', { task: 'detection' }));
  trial.expect('a');
  trial.offer(aPair('a', { stable: 1, candidate: 1 }));
  t.not(trial.label({ requestId: 'a', issuedMs: 0 }, 'coat'), 'joined');
  t.equal(trial.window.snapshot().labels.joined, 0);
});

t.test('only a candidate that keeps dying ends its trial', async (t) => {
  const [entries, trips]: [LogEntry[], string[]] = [[], []];
  const telemetry = createTelemetry({
    clock: new HandClock(),
    version: '0',
    inFlight: () => 0,
    heldBytes: () => ({}),
    rollouts: () => [],
    ledger: () => ({ kind: 'healthy', unrecorded: 0 }),
  });
  const statistics = new ModelStatistics({ clock: new HandClock(), hasRows: () => true });
  const listeners = watchHosts({
    telemetry,
    statistics,
    log: (entry) => entries.push(entry),
    trip: ({ version }, { cause, detail }) => trips.push(`${version} ${cause}: ${detail}`),
    onInternalError: (_, error) => t.fail(String(error)),
  });
  const at = (version: string) => ({ model: 'fashion', version });
  for (const role of ['main', 'control'] as const) listeners(role).onCrashLoop(at('1'), 'SIGSEGV');
  t.same(trips, [], 'stable dying is no fault of a candidate');
  for (const role of ['candidate', 'shadow'] as const)
    listeners(role).onCrashLoop(at('2'), 'SIGBUS');
  t.same(trips, ['2 crashLoop: SIGBUS', '2 crashLoop: SIGBUS']);
  listeners('main').onCrash(at('1'), { signal: 'SIGSEGV', exitCode: undefined, inFlight: 3 });
  t.match(entries.at(-1)?.message, /\(SIGSEGV\) with 3 requests in it/);
  listeners('main').onLife(at('1'), { kind: 'failed', reason: 'no file' });
  t.match(entries.at(-1), { level: 'error', message: 'failed: no file' });
  const batch = { rows: 2, requests: 1, computeMs: 3 };
  listeners('main').onLife(at('1'), { kind: 'ready' });
  for (const role of ['main', 'shadow'] as const) listeners(role).onBatch(at('1'), batch);
  t.equal(statistics.list('fashion', '1')[0]?.executions, 1, 'the shadow answers nobody');
});

t.test('a level that is switched off is not written, from then on', async (t) => {
  const written: string[] = [];
  const { log, settings } = adjustableLog(({ message }) => written.push(message));
  const tellAll = (when: string): void => {
    for (const level of ['info', 'warn', 'error'] as const)
      log({ level, message: `${level} ${when}` });
  };
  tellAll('before');
  settings.setLog({ logInfo: false, logWarning: false });
  t.same(settings.log(), { logInfo: false, logWarning: false, logError: true });
  tellAll('while off');
  settings.setLog({ logInfo: true });
  tellAll('after');
  t.same(written, [
    ...['info before', 'warn before', 'error before', 'error while off'],
    ...['info after', 'error after'],
  ]);
});

t.test('a start that fails releases what it had taken', async (t) => {
  const port = await aTakenPort(t);
  const repository = join(folder, 'none');
  await mkdir(repository, { recursive: true });
  const address = (number: number) => `127.0.0.1:${number}`;
  const options = async (admin: number) => ({
    config: await loadConfig(undefined, {
      http: address(0),
      grpc: address(0),
      admin: address(admin),
      repository,
      ledger: join(folder, 'ledger'),
    }),
    log: () => undefined,
    feedbackSecret: undefined,
  });
  await t.rejects(
    startApp(await options(port)),
    /server\.admin: expected an address that is free: .*EADDRINUSE.* ss -ltnp 'sport = :\d+'$/,
  );
  const app = await startApp(await options(0));
  t.equal((await fetch(`http://127.0.0.1:${app.httpPort}/v2/health/live`)).status, 200);
  await app.close();
  await t.rejects(fetch(`http://127.0.0.1:${app.httpPort}/v2/health/live`));
});

async function aTakenPort(t: Pick<Test, 'teardown'>): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  t.teardown(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
