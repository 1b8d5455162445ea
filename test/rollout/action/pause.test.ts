import t from 'tap';
import type { Step } from '../../../src/core/rollout.ts';
import type { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { Controller } from '../../../src/rollout/controller.ts';
import { replay } from '../../../src/rollout/history/replay.ts';
import { ALL_STEPS, aSpec, decideByLabel, evidenceOf, HALF, PROVE, World } from '../builders.ts';

const MODEL = { model: 'fashion', reason: 'the night shift' } as const;
const PAUSE = { ...MODEL, kind: 'pause' } as const;
const RESUME = { ...MODEL, kind: 'resume' } as const;
const SHORT: Step = { kind: 'pause', durationMs: 5_000 };

type Running = {
  readonly world: World;
  readonly controller: Controller;
  readonly ledger: MemoryLedger;
};

async function aTrial(steps: readonly Step[] = ALL_STEPS): Promise<Running> {
  const world = new World();
  const booted = world.boot();
  await world.resume(booted.controller);
  await booted.controller.submit({ kind: 'start', spec: aSpec({ steps, minRequests: 0 }) });
  await booted.controller.loaded('fashion');
  return { world, ...booted };
}

async function looks({ world, controller }: Omit<Running, 'ledger'>, count: number): Promise<void> {
  for (let look = 0; look < count; look += 1) {
    world.clock.advance(1_000);
    await controller.tick();
  }
}

t.test(
  'a rollout that is paused by command keeps its step and its traffic until it is resumed',
  async (t) => {
    const running = await aTrial();
    const { world, controller, ledger } = running;
    world.evidence = evidenceOf('pass', 200);
    await looks(running, 2);
    const { step } = controller.status('fashion') ?? {};
    const shares = world.shares();
    t.match(await controller.submit(PAUSE), { kind: 'applied', rolloutId: 'fashion-2-1' });
    await looks(running, 10);
    t.match(controller.status('fashion'), {
      ...{ phase: 'paused', step, why: 'paused by command: the night shift' },
    });
    t.equal(world.shares(), shares);
    await controller.submit(RESUME);
    await looks(running, 10);
    t.match(controller.status('fashion'), { phase: 'promoted' });
    t.same((await replay(ledger.records(), decideByLabel)).disagreements, []);
    t.same(world.errors, []);
  },
);

t.test('a candidate that is proven worse while paused by command is rolled back', async (t) => {
  const running = await aTrial();
  await running.controller.submit(PAUSE);
  running.world.evidence = evidenceOf('fail');
  await looks(running, 3);
  t.match(running.controller.status('fashion'), { phase: 'rolledBack' });
});

t.test('a pause step that would end by itself does not once it is paused by command', async (t) => {
  const running = await aTrial([HALF, SHORT, PROVE, { kind: 'promote' }]);
  const { world, controller } = running;
  world.evidence = evidenceOf('pass', 200);
  await looks(running, 1);
  t.match(controller.status('fashion'), { phase: 'paused', step: { number: 2 } });
  await controller.submit(PAUSE);
  await looks(running, 10);
  t.match(controller.status('fashion'), { phase: 'paused', step: { number: 2 } });
  await controller.submit(RESUME);
  t.match(controller.status('fashion'), { phase: 'progressing', step: { number: 3 } });
});

t.test('more time does not end a pause by command', async (t) => {
  const running = await aTrial();
  const { controller, world } = running;
  await controller.submit(PAUSE);
  world.clock.advance(aSpec().maxDurationMs + 1);
  await controller.submit({ ...MODEL, kind: 'extend', forMs: 3_600_000 });
  await looks(running, 1);
  t.match(controller.status('fashion'), { phase: 'paused', why: /^paused by command/ });
});

t.test('a pause by command outlasts the process', async (t) => {
  const { world, controller, ledger } = await aTrial();
  await controller.submit(PAUSE);
  const reborn = world.boot(ledger.records());
  await world.resume(reborn.controller);
  world.evidence = evidenceOf('pass', 200);
  await looks({ world, controller: reborn.controller }, 5);
  t.match(reborn.controller.status('fashion'), { phase: 'paused' });
});

t.test('what has no step cannot be paused', async (t) => {
  const world = new World();
  const { controller } = world.boot();
  await world.resume(controller);
  t.match(await controller.submit(PAUSE), { code: 'no_rollout' });
  let open = (): void => undefined;
  world.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const holdback = { percent: 5, durationMs: 60_000 };
  const steps = [HALF, PROVE, { kind: 'promote', holdback }] as const;
  await controller.submit({ kind: 'start', spec: aSpec({ steps }) });
  t.match(await controller.submit(PAUSE), { code: 'not_ready', why: /has not begun/ });
  open();
  await controller.loaded('fashion');
  await controller.submit({ ...MODEL, kind: 'promote' });
  t.match(await controller.submit(PAUSE), { code: 'rollout_running', why: /holds 5 %/ });
});
