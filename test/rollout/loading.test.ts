import t from 'tap';
import { type Deferred, deferred } from '../../src/concurrency/deferred.ts';
import { replay } from '../../src/rollout/history/replay.ts';
import { aSpec, decideByLabel, evidenceOf, World } from './builders.ts';

const START = { kind: 'start', spec: aSpec() } as const;
const ABORT = { kind: 'abort', model: 'fashion', reason: 'changed my mind' } as const;
const STABLE = 'stable=1:10000';

/** What a trial needs hangs at load until the gate opens. */
function hangingIn(world: World): Deferred<void> {
  const gate = deferred<void>();
  world.gate = gate.promise;
  return gate;
}

async function aLoading() {
  const world = new World();
  const gate = hangingIn(world);
  const booted = world.boot();
  await world.resume(booted.controller);
  const result = await booted.controller.submit(START);
  return { world, gate, result, ...booted };
}

t.test('a rollout is loading until its candidate is ready, and only then begins', async (t) => {
  const { world, gate, result, controller, ledger } = await aLoading();
  t.match(result, { kind: 'applied', rolloutId: 'fashion-2-1' });
  t.match(controller.status('fashion'), {
    phase: 'loading',
    step: undefined,
    setWeightBp: 0,
    why: 'loading version 2: the trial begins once it is ready',
  });
  world.evidence = evidenceOf('fail');
  world.clock.advance(60_000);
  await Promise.race([controller.tick(), new Promise((soon) => setImmediate(soon))]);
  t.equal(controller.status('fashion')?.phase, 'loading', 'there is nothing to judge yet');
  t.equal(world.shares(), STABLE);
  gate.resolve();
  await controller.loaded('fashion');
  const startedMs = world.clock.wallMs();
  t.match(controller.status('fashion'), { phase: 'progressing', startedMs }, 'not before');
  t.equal(world.shares(), `${STABLE} mirror`);
  t.same((await replay(ledger.records(), decideByLabel)).disagreements, []);
});

t.test('an abort waits for no load, and what is loaded too late changes nothing', async (t) => {
  const { world, gate, controller, ledger } = await aLoading();
  t.match(await controller.submit(ABORT), { kind: 'applied', rolloutId: 'fashion-2-1' });
  t.match(controller.status('fashion'), { phase: 'aborted', why: 'changed my mind' });
  t.same(world.log.slice(-2), ['gave up', 'release fashion-2-1']);
  const [records, shares] = [ledger.records().length, world.shares()];
  gate.resolve();
  await controller.stop();
  t.same([ledger.records().length, world.shares()], [records, shares]);
  t.same(world.errors, []);
});

t.test('a rollout that cannot be loaded is rolled back with the reason', async (t) => {
  const { world, gate, controller } = await aLoading();
  world.prepareFault = 'loading took longer than 120000 ms';
  gate.resolve();
  await controller.loaded('fashion');
  t.match(controller.status('fashion'), {
    phase: 'rolledBack',
    why: 'loadFailed: loading took longer than 120000 ms',
  });
  t.equal(world.shares(), STABLE);
  t.equal((await controller.submit(START)).kind, 'applied', 'the next one may be tried');
});

t.test('a process that ends while a rollout loads leaves it to the next one', async (t) => {
  const { controller, ledger } = await aLoading();
  await controller.stop();
  t.equal(controller.status('fashion')?.phase, 'loading', 'its end is no fault of the candidate');
  const next = new World();
  const reborn = next.boot(ledger.records());
  await next.resume(reborn.controller);
  t.equal(reborn.controller.status('fashion')?.phase, 'progressing');
  t.equal(next.shares(), `${STABLE} mirror`);
});

t.test('a resumed trial whose candidate hangs holds neither the start nor a command', async (t) => {
  const { ledger } = await aLoading();
  const next = new World();
  hangingIn(next);
  const { controller } = next.boot(ledger.records());
  await controller.load();
  for (const route of next.table.values()) await controller.resume(route);
  t.equal(next.shares(), STABLE, 'callers are served');
  t.match(await controller.submit(ABORT), { kind: 'applied' });
  t.equal(controller.status('fashion')?.phase, 'aborted');
});

t.test('while a later step is loaded a trial can end, and cannot advance', async (t) => {
  const { world, gate, controller } = await aLoading();
  gate.resolve();
  await controller.loaded('fashion');
  world.evidence = evidenceOf('pass');
  await controller.tick();
  hangingIn(world);
  const ticked = controller.tick();
  await new Promise((soon) => setImmediate(soon));
  t.match(controller.status('fashion'), { phase: 'progressing', step: { number: 3 } });
  t.equal(world.shares(), `${STABLE} mirror`, 'no traffic goes to what is not there');
  world.evidence = evidenceOf('fail');
  await controller.tick();
  await ticked;
  t.match(controller.status('fashion'), { phase: 'rolledBack', decidedBy: ['pairedErrors'] });
  t.equal(world.shares(), STABLE);
});
