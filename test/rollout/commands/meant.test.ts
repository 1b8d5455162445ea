import t from 'tap';
import type { RolloutSpec, Step } from '../../../src/core/rollout.ts';
import type { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { Controller } from '../../../src/rollout/controller.ts';
import { replay } from '../../../src/rollout/history/replay.ts';
import { aSpec, decideByLabel, evidenceOf, HALF, PROVE, World } from '../builders.ts';

const HOUR = 3_600_000;
const TO_HOLDBACK: readonly Step[] = [
  HALF,
  PROVE,
  { kind: 'promote', holdback: { percent: 5, durationMs: HOUR } },
];
const HELD = 'candidate=2:500 stable=2:9000 control=1:500';
const MODEL = { model: 'fashion', reason: 'a reason' } as const;
const UNDO = { ...MODEL, kind: 'undo' } as const;
const PROMOTE = { ...MODEL, kind: 'promote' } as const;

type Running = {
  readonly world: World;
  readonly controller: Controller;
  readonly ledger: MemoryLedger;
};

async function aGateway(): Promise<Running> {
  const world = new World();
  const booted = world.boot();
  await world.resume(booted.controller);
  return { world, ...booted };
}

async function start({ controller }: Running, fields: Partial<RolloutSpec>): Promise<void> {
  await controller.submit({ kind: 'start', spec: aSpec({ minRequests: 0, ...fields }) });
  await controller.loaded('fashion');
}

/** Version 2 is stable by a promotion, and 3 by one after it. */
async function promotedTwice(steps: readonly Step[]): Promise<Running> {
  const running = await aGateway();
  await start(running, { steps: [HALF, PROVE, { kind: 'promote' }] });
  await running.controller.submit(PROMOTE);
  await start(running, { steps, stable: '2', candidate: '3' });
  await running.controller.submit(PROMOTE);
  return running;
}

for (const [when, steps] of [
  ['in a holdback', TO_HOLDBACK],
  ['once promoted', [HALF, PROVE, { kind: 'promote' }]],
] as const) {
  t.test(`two undos at once go back one version: ${when}`, async (t) => {
    const { world, controller, ledger } = await promotedTwice(steps);
    const results = await Promise.all([controller.submit(UNDO), controller.submit(UNDO)]);
    t.match(results, [
      { kind: 'applied', rolloutId: 'fashion-3-2' },
      {
        code: 'no_rollout',
        why: 'rollout fashion-3-2 has been undone meanwhile: ask again to undo fashion-2-1 as well',
      },
    ]);
    t.equal(world.shares(), 'stable=2:10000');
    t.match(await controller.submit(UNDO), { kind: 'applied', rolloutId: 'fashion-2-1' });
    t.equal(world.shares(), 'stable=1:10000');
    t.same((await replay(ledger.records(), decideByLabel)).disagreements, []);
    t.same(world.errors, []);
  });
}

t.test('two promotions at once begin a holdback, and do not end it', async (t) => {
  const running = await aGateway();
  const { world, controller } = running;
  await start(running, { steps: TO_HOLDBACK });
  const results = await Promise.all([controller.submit(PROMOTE), controller.submit(PROMOTE)]);
  t.match(results, [
    { kind: 'applied' },
    {
      code: 'rollout_running',
      why: /promoted meanwhile: rollout fashion-2-1 holds 5 % .* promote/,
    },
  ]);
  t.equal(controller.status('fashion')?.phase, 'holdback');
  t.equal(world.shares(), HELD);
});

t.test('two resumptions at once leave one pause', async (t) => {
  const running = await aGateway();
  const pause = { kind: 'pause', durationMs: undefined } as const;
  await start(running, { steps: [HALF, pause, pause, PROVE, { kind: 'promote' }] });
  const { world, controller } = running;
  world.evidence = evidenceOf('pass', 100);
  world.clock.advance(1_000);
  await controller.tick();
  t.match(controller.status('fashion'), { phase: 'paused', step: { number: 2 } });
  const resume = { ...MODEL, kind: 'resume' } as const;
  const results = await Promise.all([controller.submit(resume), controller.submit(resume)]);
  t.match(results, [
    { kind: 'applied' },
    { code: 'not_paused', why: /resumed meanwhile, and is paused in step 3 of 5/ },
  ]);
  t.match(controller.status('fashion'), { phase: 'paused', step: { number: 3 } });
});

for (const [when, steps] of [
  ['in a holdback', TO_HOLDBACK],
  ['once promoted', [HALF, PROVE, { kind: 'promote' }]],
] as const) {
  t.test(`an undo that names its promotion can be repeated: ${when}`, async (t) => {
    const { world, controller, ledger } = await promotedTwice(steps);
    const named = { ...UNDO, rolloutId: 'fashion-3-2' } as const;
    const results = await Promise.all([controller.submit(named), controller.submit(named)]);
    t.match(results, [
      { kind: 'applied', rolloutId: 'fashion-3-2' },
      { kind: 'applied', rolloutId: 'fashion-3-2' },
    ]);
    t.match(await controller.submit(named), { kind: 'applied', rolloutId: 'fashion-3-2' });
    t.equal(world.shares(), 'stable=2:10000', 'one version back, and not two');
    const undos = ledger
      .records()
      .filter(({ body }) => body.kind === 'command' && body.command.kind === 'undo');
    t.equal(undos.length, 1, 'nothing was done for the others');
  });

  t.test(`an undo that names another rollout changes nothing: ${when}`, async (t) => {
    const { world, controller, ledger } = await promotedTwice(steps);
    const shares = world.shares();
    for (const rolloutId of ['fashion-2-1', 'fashion-9-9']) {
      t.match(await controller.submit({ ...UNDO, rolloutId }), {
        code: 'other_rollout',
        why: new RegExp(
          `^expected ${rolloutId} as the rollout of fashion to undo, found fashion-3-2`,
        ),
      });
    }
    t.equal(world.shares(), shares);
    t.match(ledger.records().at(-1)?.body, { kind: 'command', refused: /expected fashion-9-9/ });
  });
}
