import t from 'tap';
import { type Deferred, deferred } from '../../src/concurrency/deferred.ts';
import type { RecordBody } from '../../src/core/record.ts';
import type { MemoryLedger } from '../../src/ledger/memory.ts';
import type { Controller } from '../../src/rollout/controller.ts';
import { replay } from '../../src/rollout/history/replay.ts';
import { looksOnRecord } from '../support/looks-on-record.ts';
import { aRoute, aSpec, decideByLabel, evidenceOf, World } from './builders.ts';

const START = { kind: 'start', spec: aSpec() } as const;
const ABORT = { kind: 'abort', model: 'fashion', reason: 'wrong answers' } as const;
const STABLE = 'stable=1:10000';
const FULL = 'no space left on device';

type Running = { readonly controller: Controller; readonly ledger: MemoryLedger };

/** A rollout whose candidate has a tenth of the traffic. */
async function aCanary(world: World): Promise<Running> {
  const booted = world.boot();
  await world.resume(booted.controller);
  await booted.controller.submit(START);
  world.evidence = evidenceOf('pass');
  await ticks(world, booted.controller, 2);
  return booted;
}

/** Ticks a second apart, each when nothing is under way any more: a busy model is left out of one. */
async function ticks(world: World, controller: Controller, count = 1): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    await new Promise(setImmediate);
    world.clock.advance(1000);
    await controller.tick();
  }
}

function bodiesOf(ledger: MemoryLedger): readonly RecordBody[] {
  return ledger.records().map(({ body }) => body);
}

t.test('an abort that the ledger does not take is carried out, and recorded later', async (t) => {
  const world = new World();
  const { controller, ledger } = await aCanary(world);
  t.match(world.shares(), /^candidate=2:1000/);
  world.diskFault = FULL;
  const abortedMs = world.clock.wallMs();
  const result = await controller.submit(ABORT);
  t.equal(world.shares(), STABLE);
  t.match(result, {
    kind: 'applied',
    rolloutId: 'fashion-2-1',
    notYet: { isDurable: false, why: /not recorded yet: the ledger takes no records .*no space/ },
  });
  t.match(controller.status('fashion'), {
    phase: 'aborted',
    setWeightBp: 0,
    onRecord: false,
    endedMs: abortedMs,
  });
  t.match(controller.ledger(), { kind: 'degraded', unrecorded: 1 });
  const { length } = ledger.records();
  await ticks(world, controller, 5);
  t.match(await controller.submit(ABORT), { kind: 'applied' }, 'once more changes nothing');
  t.equal(controller.ledger().unrecorded, 1);
  world.diskFault = undefined;
  await ticks(world, controller);
  t.match(bodiesOf(ledger).slice(length), [
    { kind: 'command', command: ABORT, givenMs: abortedMs },
    { kind: 'route', route: { shares: [{ version: '1', weightBp: 10_000 }] } },
  ]);
  t.match(controller.status('fashion'), { phase: 'aborted', endedMs: abortedMs, onRecord: true });
  t.equal(world.log.at(-1), 'release fashion-2-1');
  t.equal(world.shares(), STABLE);
  const again = new World();
  await again.resume(again.boot(ledger.records()).controller);
  t.equal(again.shares(), STABLE, 'and a restart routes no traffic back');
});

t.test('nothing but an abort is carried out while the ledger takes no records', async (t) => {
  const world = new World();
  const { controller, ledger } = await aCanary(world);
  world.diskFault = FULL;
  const [shares, { length }] = [world.shares(), ledger.records()];
  const route = { ...aRoute(), kind: 'setRoute', revision: 3 } as const;
  for (const command of [
    START,
    { ...ABORT, kind: 'promote' } as const,
    { ...ABORT, kind: 'resume' } as const,
    route,
  ]) {
    t.match(await controller.submit(command), {
      kind: 'refused',
      code: 'ledger_degraded',
      why: /takes no records \(no space left on device\): only abort/,
    });
  }
  for (const kind of ['pass', 'inconclusive', 'error', 'pass'] as const) {
    world.evidence = evidenceOf(kind, 500);
    await ticks(world, controller);
  }
  t.equal(world.shares(), shares, 'no step is entered or left');
  t.equal(ledger.records().length, length);
  t.same(world.errors, [], 'and nothing is said over and over');
  world.diskFault = undefined;
  world.evidence = evidenceOf('pass', 600);
  await ticks(world, controller);
  t.match(world.shares(), /^candidate=2:5000/, 'then it resumes with all the evidence');
  t.same((await replay(ledger.records(), decideByLabel)).disagreements, []);
});

t.test(
  'a candidate proven worse gets no traffic from then on, and the proof is recorded later',
  async (t) => {
    const world = new World();
    const { controller, ledger } = await aCanary(world);
    world.diskFault = FULL;
    world.evidence = evidenceOf('fail', 40);
    await ticks(world, controller);
    const provenMs = world.clock.wallMs();
    t.equal(world.shares(), STABLE);
    t.match(controller.status('fashion'), { phase: 'rolledBack', onRecord: false });
    t.match(await controller.submit(ABORT), {
      code: 'no_rollout',
      why: /has been rolled back already \(proven worse/,
    });
    world.evidence = evidenceOf('pass', 90);
    await ticks(world, controller, 3);
    world.diskFault = undefined;
    await ticks(world, controller);
    t.match(controller.status('fashion'), { phase: 'rolledBack', endedMs: provenMs });
    t.match(looksOnRecord(ledger.records()).at(-1)?.evidence, evidenceOf('fail', 40));
    t.same((await replay(ledger.records(), decideByLabel)).disagreements, []);
  },
);

t.test(
  'what ended meanwhile is recorded in the order in which it ended, before all else',
  async (t) => {
    const world = new World();
    const models = ['a', 'b', 'c'];
    world.table.clear();
    for (const model of models) world.table.set(model, aRoute({ model }));
    const { controller, ledger } = world.boot();
    await world.resume(controller);
    for (const model of models) await controller.submit({ ...START, spec: aSpec({ model }) });
    world.diskFault = FULL;
    await controller.submit({ ...ABORT, model: 'c' });
    await controller.trip('a', { cause: 'crashLoop', detail: '3 crashes' });
    const { length } = ledger.records();
    world.diskFault = undefined;
    t.match(await controller.submit({ ...ABORT, model: 'b' }), { kind: 'applied' });
    t.match(bodiesOf(ledger).slice(length), [
      { kind: 'command', command: { model: 'c' } },
      { kind: 'breaker', rolloutId: 'a-2-1' },
      { kind: 'command', command: { model: 'b' } },
      { kind: 'route', route: { model: 'b' } },
    ]);
  },
);

/** Holds every append up while there is a gate. */
function gated(world: World): { gate: Deferred<void> | undefined } {
  const disk: { gate: Deferred<void> | undefined } = { gate: undefined };
  world.beforeAppend = async () => disk.gate?.promise;
  return disk;
}

t.test('an abort waits neither for a record nor for a load that is under way', async (t) => {
  const world = new World();
  const disk = gated(world);
  const { controller, ledger } = await aCanary(world);
  const held = deferred<void>();
  disk.gate = held;
  world.evidence = evidenceOf('pass', 100);
  world.clock.advance(1000);
  const ticking = controller.tick();
  await Promise.resolve();
  const aborting = controller.submit(ABORT);
  t.equal(world.shares(), STABLE, 'traffic taken away before anything was awaited');
  t.match(await aborting, {
    kind: 'applied',
    notYet: { isDurable: false, why: /something else is under way/ },
  });
  disk.gate = undefined;
  held.resolve();
  await ticking;
  await controller.stop();
  t.equal(world.shares(), STABLE, 'the step that was being entered routes no traffic back');
  t.notOk(world.log.some((line) => line.startsWith('write candidate=2:5000')));
  t.match(controller.status('fashion'), { phase: 'aborted', onRecord: true });
  t.same((await replay(ledger.records(), decideByLabel)).disagreements, []);
});

t.test(
  'a gateway that starts on a ledger that takes nothing gives the candidate nothing',
  async (t) => {
    const world = new World();
    const { ledger } = await aCanary(world);
    const reborn = new World();
    reborn.diskFault = FULL;
    const { controller } = reborn.boot(ledger.records());
    await world.resume(controller);
    await ticks(reborn, controller, 2);
    t.equal(reborn.shares(), STABLE);
    t.match(controller.status('fashion'), { phase: 'progressing', ledger: /^degraded/ });
    t.match(await controller.submit(ABORT), { kind: 'applied', notYet: { isDurable: false } });
    reborn.diskFault = undefined;
    await ticks(reborn, controller);
    t.match(controller.status('fashion'), { phase: 'aborted', onRecord: true });
    const later = new World();
    later.diskFault = FULL;
    const third = later.boot(ledger.records());
    await later.resume(third.controller);
    later.diskFault = undefined;
    await ticks(later, third.controller);
    t.match(later.shares(), /^candidate=2:1000/, 'once it takes records the trial resumes');
  },
);

t.test('what was not recorded by the end is said', async (t) => {
  const world = new World();
  const { controller } = await aCanary(world);
  world.diskFault = FULL;
  await controller.submit(ABORT);
  await controller.stop();
  t.match(world.errors, [/^stop: .*1 rollouts have ended .* abort them again/]);
});
