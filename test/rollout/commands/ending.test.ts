import t from 'tap';
import type { Step } from '../../../src/core/rollout.ts';
import type { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { Controller } from '../../../src/rollout/controller.ts';
import { replay } from '../../../src/rollout/history/replay.ts';
import { aSpec, decideByLabel, evidenceOf, HALF, PROVE, World } from '../builders.ts';

const HOUR = 3_600_000;
const HOLDBACK = { percent: 5, durationMs: HOUR };
const MODEL = { model: 'fashion', reason: 'a reason' } as const;

type Running = {
  readonly world: World;
  readonly controller: Controller;
  readonly ledger: MemoryLedger;
};

async function aRunning(last: Step): Promise<Running> {
  const world = new World();
  const booted = world.boot();
  await world.resume(booted.controller);
  const spec = aSpec({ minRequests: 0, steps: [HALF, PROVE, last] });
  await booted.controller.submit({ kind: 'start', spec });
  await booted.controller.loaded('fashion');
  return { world, ...booted };
}

/** Begins the look that ends a trial or a holdback, with its record on the way to the disk until `open` is called. */
async function endOnSlowDisk({ world, controller }: Running) {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    world.beforeAppend = () => {
      resolve();
      return gate;
    };
  });
  const ticking = controller.tick();
  await begun;
  return { open, ticking };
}

t.test('an undo is carried out that comes while the end of a holdback is recorded', async (t) => {
  const running = await aRunning({ kind: 'promote', holdback: HOLDBACK });
  const { world, controller, ledger } = running;
  await controller.submit({ ...MODEL, kind: 'promote' });
  world.clock.advance(2 * HOUR);
  const { open, ticking } = await endOnSlowDisk(running);
  const undoing = controller.submit({ ...MODEL, kind: 'undo' });
  t.equal(world.shares(), 'stable=1:10000');
  open();
  t.match(await undoing, { kind: 'applied', rolloutId: 'fashion-2-1' });
  await ticking;
  await controller.loaded('fashion');
  t.equal(world.shares(), 'stable=1:10000');
  t.equal(controller.status('fashion')?.phase, 'rolledBack');
  t.equal(world.log.at(-1), 'release fashion-2-1');
  t.match(ledger.records().at(-1)?.body, { kind: 'route', route: { stable: '1' } });
  t.same((await replay(ledger.records(), decideByLabel)).disagreements, []);
  t.same(world.errors, []);
});

/** A trial whose promotion is on its way to the disk. */
async function aPromotionOnSlowDisk() {
  const running = await aRunning({ kind: 'promote' });
  const { world, controller } = running;
  world.evidence = evidenceOf('pass', 100);
  for (let look = 0; look < 2; look += 1) {
    world.clock.advance(1_000);
    await controller.tick();
  }
  world.clock.advance(1_000);
  return { ...running, ...(await endOnSlowDisk(running)) };
}

const ABORT = { ...MODEL, kind: 'abort' } as const;

t.test('an abort that comes while a promotion is recorded takes it back', async (t) => {
  const { world, controller, ledger, open, ticking } = await aPromotionOnSlowDisk();
  const aborting = controller.submit(ABORT);
  t.equal(world.shares(), 'stable=1:10000');
  open();
  t.match(await aborting, { kind: 'applied', rolloutId: 'fashion-2-1' });
  await ticking;
  await controller.loaded('fashion');
  t.equal(world.shares(), 'stable=1:10000');
  t.match(controller.status('fashion'), { phase: 'rolledBack', decidedBy: ['undo'] });
  t.same((await replay(ledger.records(), decideByLabel)).disagreements, []);
  t.same(world.errors, []);
});

t.test('a promotion in effect is not undone to a version that is gone', async (t) => {
  const { world, controller, open, ticking } = await aPromotionOnSlowDisk();
  const aborting = controller.submit(ABORT);
  world.down.add('1');
  open();
  t.match(await aborting, { code: 'not_ready', why: /version 1 .*ask again, and it is loaded/ });
  await ticking;
  await controller.loaded('fashion');
  t.equal(world.shares(), 'stable=2:10000');
  t.equal(controller.status('fashion')?.phase, 'promoted');
});

t.test('an abort that was answered early and is refused later is reported', async (t) => {
  const { world, controller, open, ticking } = await aPromotionOnSlowDisk();
  t.match(await controller.submit(ABORT), { kind: 'applied', notYet: { isDurable: false } });
  world.digests.set('1', 'another');
  open();
  await ticking;
  await controller.stop();
  t.equal(controller.status('fashion')?.phase, 'promoted');
  t.match(world.errors, [/^abort fashion: .*package 1 as rollout fashion-2-1 met it/]);
});
