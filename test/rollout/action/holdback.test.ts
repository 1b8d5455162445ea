import t from 'tap';
import { NO_EVIDENCE } from '../../../src/core/evidence.ts';
import type { LedgerRecord } from '../../../src/core/record.ts';
import { type Rollout, type RolloutSpec, RULES_VERSION } from '../../../src/core/rollout.ts';
import type { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { Decide } from '../../../src/rollout/action/judge.ts';
import type { Controller } from '../../../src/rollout/controller.ts';
import { exportEvidence } from '../../../src/rollout/evidence/export.ts';
import { replay } from '../../../src/rollout/history/replay.ts';
import {
  aRoute,
  aSpec,
  aStatus,
  aVerdict,
  decideByLabel,
  evidenceOf,
  HALF,
  PROVE,
  World,
} from '../builders.ts';

const HOUR = 3_600_000;
const HOLDBACK = { percent: 5, durationMs: HOUR };
const STEPS = [HALF, PROVE, { kind: 'promote', holdback: HOLDBACK }] as const;
const HELD = 'candidate=2:500 stable=2:9000 control=1:500';
const FORMER = 'stable=1:10000';
const NEW = 'stable=2:10000';
const MODEL = { model: 'fashion', reason: 'a reason' } as const;
const UNDO = { ...MODEL, kind: 'undo' } as const;
const PROMOTE = { ...MODEL, kind: 'promote' } as const;

type Running = {
  readonly world: World;
  readonly controller: Controller;
  readonly ledger: MemoryLedger;
};

async function looks(world: World, controller: Controller, count = 1): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    world.clock.advance(1_000);
    await controller.tick();
  }
}

async function aRunning(fields: Partial<RolloutSpec> = {}): Promise<Running> {
  const world = new World();
  const booted = world.boot();
  await world.resume(booted.controller);
  const spec = aSpec({ steps: STEPS, minRequests: 0, ...fields });
  await booted.controller.submit({ kind: 'start', spec });
  await booted.controller.loaded('fashion');
  return { world, ...booted };
}

/** A rollout that was promoted on proof and holds 5 % back. */
async function aHeldBack(fields: Partial<RolloutSpec> = {}): Promise<Running> {
  const running = await aRunning(fields);
  running.world.evidence = evidenceOf('pass', 100);
  await looks(running.world, running.controller, 3);
  return running;
}

/** The same after a restart: with these records and the table as configured. */
async function reborn(records: readonly LedgerRecord[], change: (world: World) => void = () => {}) {
  const world = new World();
  world.clock.advance(60_000);
  change(world);
  const booted = world.boot(records);
  await world.resume(booted.controller);
  return { world, ...booted };
}

function stateOf(controller: Controller) {
  const { phase, decidedBy, why } = controller.status('fashion') ?? {};
  return { phase, decidedBy, why };
}

async function disagreementsOf(ledger: MemoryLedger) {
  return (await replay(ledger.records(), decideByLabel)).disagreements;
}

t.test('a promotion holds its part back, and is final when the time is over', async (t) => {
  const { world, controller, ledger } = await aHeldBack();
  t.equal(world.shares(), HELD);
  t.match(world.table.get('fashion'), { stable: '2', mirror: undefined });
  await looks(world, controller);
  const status = controller.status('fashion');
  t.match(status, {
    phase: 'holdback',
    step: { number: 3, kind: 'promote' },
    setWeightBp: 9_500,
    holdback: { percent: 5 },
    endedMs: undefined,
  });
  t.match(status?.why, /^5 % of the traffic on version 1 for another .*: nothing proven worse/);
  world.clock.advance(HOUR);
  await looks(world, controller);
  t.equal(world.shares(), NEW);
  t.match(stateOf(controller), { phase: 'promoted', why: /on version 1 for 1 h: nothing proven/ });
  t.same(world.log.slice(-3), ['prepare promoted', `write ${NEW}`, 'release fashion-2-1']);
  t.same([await disagreementsOf(ledger), world.errors], [[], []]);
});

t.test('a holdback is judged by what is seen from its beginning on', async (t) => {
  const { world, controller } = await aHeldBack();
  t.equal(world.log.filter((line) => line === 'open fashion-2-1').length, 2);
  t.same(world.evidence, NO_EVIDENCE);
  await looks(world, controller, 3);
  t.equal(controller.status('fashion')?.phase, 'holdback', 'the proof of the trial is not enough');
});

t.test('a candidate proven worse in its holdback gives the traffic back', async (t) => {
  const { world, controller, ledger } = await aHeldBack();
  world.evidence = evidenceOf('fail', 3);
  await looks(world, controller);
  t.equal(world.shares(), FORMER);
  t.match(stateOf(controller), {
    phase: 'rolledBack',
    decidedBy: ['pairedErrors'],
    why: /^proven worse after the promotion: /,
  });
  t.same([await disagreementsOf(ledger), world.errors], [[], []]);
});

t.test('harm gives the traffic back while the ledger takes no records', async (t) => {
  const { world, controller } = await aHeldBack();
  world.diskFault = 'ENOSPC';
  world.evidence = evidenceOf('fail', 3);
  await looks(world, controller);
  t.equal(world.shares(), FORMER);
  t.match(controller.status('fashion'), { phase: 'rolledBack', onRecord: false });
});

t.test('what cannot be measured neither undoes nor ends a holdback', async (t) => {
  const { world, controller } = await aHeldBack();
  world.evidence = evidenceOf('error');
  world.clock.advance(2 * HOUR);
  await looks(world, controller, 2);
  t.equal(world.shares(), HELD);
  t.match(stateOf(controller), { phase: 'holdback', why: /could not measure: .*promote or undo/ });
});

t.test('a promotion by hand holds back as well, and another ends that', async (t) => {
  const { world, controller, ledger } = await aRunning();
  t.match(await controller.submit(PROMOTE), { kind: 'applied', rolloutId: 'fashion-2-1' });
  t.equal(world.shares(), HELD);
  t.same(world.evidence, NO_EVIDENCE);
  t.match(await controller.submit(PROMOTE), { kind: 'applied', rolloutId: 'fashion-2-1' });
  t.equal(world.shares(), NEW);
  t.match(stateOf(controller), { phase: 'promoted', why: 'promoted by hand' });
  t.same([await disagreementsOf(ledger), world.errors], [[], []]);
});

t.test('undo and abort in a holdback give the traffic back at once', async (t) => {
  for (const [kind, phase] of [
    ['undo', 'rolledBack'],
    ['abort', 'aborted'],
  ] as const) {
    const { world, controller, ledger } = await aHeldBack();
    t.match(await controller.submit({ ...MODEL, kind }), {
      kind: 'applied',
      rolloutId: 'fashion-2-1',
    });
    t.equal(world.shares(), FORMER);
    t.match(stateOf(controller), { phase, why: 'a reason' });
    t.same([await disagreementsOf(ledger), world.errors], [[], []]);
  }
});

t.test('an undo after the promotion goes back once the former version is loaded', async (t) => {
  const { world, controller, ledger } = await aHeldBack();
  await controller.submit(PROMOTE);
  t.match(await controller.submit(UNDO), { kind: 'applied', rolloutId: 'fashion-2-1' });
  t.equal(world.shares(), FORMER);
  t.ok(world.log.indexOf(`load ${FORMER}`) < world.log.lastIndexOf(`write ${FORMER}`));
  t.match(stateOf(controller), { phase: 'rolledBack', decidedBy: ['undo'], why: 'a reason' });
  t.match(ledger.records().at(-2)?.body, { kind: 'command', command: UNDO, refused: undefined });
  t.match(await controller.submit(UNDO), {
    code: 'no_rollout',
    why: 'expected a promoted rollout of fashion to undo, found fashion-2-1, rolledBack. Set the route instead',
  });
  t.same([await disagreementsOf(ledger), world.errors], [[], []]);
});

t.test('an undo that cannot load the former version changes nothing', async (t) => {
  const { world, controller } = await aHeldBack();
  await controller.submit(PROMOTE);
  world.prepareFault = 'no such file';
  t.match(await controller.submit(UNDO), { code: 'not_ready', why: 'no such file' });
  t.equal(world.shares(), NEW);
  t.equal(controller.status('fashion')?.phase, 'promoted');
});

t.test('nothing is undone but a promotion that serves, to the package before it', async (t) => {
  const { world, controller } = await aRunning();
  t.match(await controller.submit(UNDO), {
    code: 'rollout_running',
    why: /has not promoted its candidate \(progressing\).*Abort it instead/,
  });
  await controller.submit(PROMOTE);
  await controller.submit(PROMOTE);
  const digest = world.digests.get('1') ?? '';
  world.digests.set('1', 'another');
  t.match(await controller.submit(UNDO), { code: 'invalid', why: /package 1 .*has changed since/ });
  world.digests.delete('1');
  t.match(await controller.submit(UNDO), { code: 'unknown_version', why: /no version 1 of/ });
  world.digests.set('1', digest);
  const { revision } = world.table.get('fashion') ?? aRoute();
  const shares = [{ arm: 'stable', version: '3', weightBp: 10_000 }] as const;
  const set = { ...MODEL, kind: 'setRoute', revision, stable: '3', shares, mirror: undefined };
  await controller.submit({ ...set, kind: 'setRoute' });
  t.match(await controller.submit(UNDO), {
    code: 'route_in_the_way',
    why: /expected version 2, which rollout fashion-2-1 promoted, .*found version 3/,
  });
  t.match(await controller.submit({ ...UNDO, model: 'other' }), { code: 'unknown_model' });
});

t.test('a holdback refuses what would move its route or its packages', async (t) => {
  const { world, controller } = await aHeldBack();
  const { revision } = world.table.get('fashion') ?? aRoute();
  const why = /holds 5 % of the traffic back on version 1: promote it .* or undo it, first/;
  const spec = aSpec({ stable: '2', candidate: '3' });
  t.match(await controller.submit({ kind: 'start', spec }), { code: 'rollout_running', why });
  const shares = [{ arm: 'stable', version: '2', weightBp: 10_000 }] as const;
  const set = { model: 'fashion', stable: '2', shares, mirror: undefined, revision };
  t.match(await controller.submit({ ...set, kind: 'setRoute' }), { code: 'rollout_running', why });
  t.match(await controller.forget('fashion'), { code: 'rollout_running', why });
  t.match(await controller.submit({ ...MODEL, kind: 'resume' }), { code: 'not_paused' });
  t.equal(world.shares(), HELD);
});

t.test('a holdback comes to the next part of its time on record', async (t) => {
  const { world, controller, ledger } = await aHeldBack();
  world.clock.advance(HOUR / 8);
  await looks(world, controller);
  world.clock.advance(HOUR / 2);
  await looks(world, controller, 2);
  const parts = ledger
    .records()
    .flatMap(({ body }) => (body.kind === 'decision' && body.after ? [body.after.phase] : []))
    .flatMap((phase) => ('part' in phase && phase.part ? [phase.part.number] : []));
  t.same([...new Set(parts)], [2, 6]);
  t.equal(world.shares(), HELD);
  t.same([await disagreementsOf(ledger), world.errors], [[], []]);
});

t.test('extend makes a holdback longer, and never shorter', async (t) => {
  const { world, controller } = await aHeldBack();
  const untilMs = () => controller.status('fashion')?.holdback?.untilMs ?? 0;
  const before = untilMs();
  const extend = { ...MODEL, kind: 'extend' } as const;
  await controller.submit({ ...extend, forMs: 1_000 });
  t.equal(untilMs(), before);
  await controller.submit({ ...extend, forMs: 2 * HOUR });
  t.equal(untilMs(), world.clock.wallMs() + 2 * HOUR);
  world.clock.advance(HOUR + 60_000);
  await looks(world, controller);
  t.equal(controller.status('fashion')?.phase, 'holdback');
});

t.test('a restart resumes a holdback with its time and its evidence', async (t) => {
  const before = await aHeldBack();
  before.world.evidence = evidenceOf('inconclusive', 70);
  await looks(before.world, before.controller, 2);
  const { world, controller } = await reborn(before.ledger.records());
  t.equal(
    world.log.find((line) => line.startsWith('write')),
    `write ${NEW}`,
  );
  t.equal(world.shares(), HELD);
  t.same(world.evidence, evidenceOf('inconclusive', 70));
  await looks(world, controller);
  t.equal(controller.status('fashion')?.phase, 'holdback');
  world.clock.advance(HOUR);
  await looks(world, controller);
  t.match(stateOf(controller), { phase: 'promoted' });
  t.equal(world.shares(), NEW);
});

t.test('a version that cannot be loaded again ends the holdback and undoes nothing', async (t) => {
  const { ledger } = await aHeldBack();
  const { world, controller } = await reborn(ledger.records(), (again) => {
    again.deployer.prepare = async ({ phase }) => {
      if (phase.kind === 'holdback') throw new Error('version 1: no such file');
    };
    again.down.add('1');
  });
  t.equal(world.shares(), NEW);
  t.match(stateOf(controller), {
    phase: 'promoted',
    why: 'the holdback ended early: version 1: no such file',
  });
  t.same(world.errors, []);
});

t.test('a package that changed while the process was down ends the holdback', async (t) => {
  const { ledger } = await aHeldBack();
  const { world, controller } = await reborn(ledger.records(), (again) => {
    again.digests.set('1', 'another');
  });
  t.equal(world.shares(), NEW);
  t.match(stateOf(controller), { phase: 'promoted', why: /ended early: package 1 has changed/ });
});

t.test('a promotion that cannot be loaded never takes effect', async (t) => {
  const { world, controller } = await aRunning();
  world.evidence = evidenceOf('pass', 100);
  await looks(world, controller, 1);
  world.prepareFault = 'out of memory';
  await looks(world, controller, 2);
  t.match(stateOf(controller), { phase: 'rolledBack', decidedBy: ['loadFailed'] });
  t.equal(world.shares(), FORMER);
});

t.test('traffic goes back only to a version that answers', async (t) => {
  const { world, controller, ledger } = await aHeldBack();
  world.down.add('1');
  world.evidence = evidenceOf('fail', 3);
  await looks(world, controller, 2);
  t.equal(world.shares(), HELD, 'the new version serves on');
  await controller.trip('fashion', { cause: 'crashLoop', detail: '3 crashes' });
  t.match(await controller.submit(UNDO), {
    code: 'not_ready',
    why: /version 1 of fashion does not/,
  });
  t.match(await controller.submit({ ...UNDO, kind: 'abort' }), { code: 'not_ready' });
  t.equal(world.shares(), HELD);
  world.down.delete('1');
  await looks(world, controller);
  t.equal(world.shares(), FORMER);
  t.match(stateOf(controller), { phase: 'rolledBack', decidedBy: ['pairedErrors'] });
  t.same(await disagreementsOf(ledger), []);
});

t.test('a candidate that keeps crashing after its promotion gives the traffic back', async (t) => {
  const { world, controller } = await aHeldBack();
  await controller.trip('fashion', { cause: 'crashLoop', detail: '3 crashes' });
  t.equal(world.shares(), FORMER);
  t.match(stateOf(controller), { phase: 'rolledBack', decidedBy: ['crashLoop'] });
});

t.test('a rollout without a holdback is promoted as before', async (t) => {
  const steps = [HALF, PROVE, { kind: 'promote' }] as const;
  const { world, controller, ledger } = await aHeldBack({ steps, rules: RULES_VERSION });
  t.equal(world.shares(), NEW);
  const { phase, heldBackSinceMs } = ledger
    .records()
    .flatMap(({ body }): Rollout[] => (body.kind === 'decision' && body.after ? [body.after] : []))
    .at(-1) as Rollout;
  t.match([phase.kind, heldBackSinceMs], ['promoted', undefined]);
  t.equal(controller.status('fashion')?.holdback, undefined);
});

t.test('a promotion counts once against the anchor, and an undone one not at all', async (t) => {
  const { world, controller } = await aHeldBack();
  const spent = () => controller.status('fashion')?.anchor?.spent.unmeasured;
  t.equal(spent(), 1);
  world.clock.advance(HOUR);
  await looks(world, controller);
  t.same([controller.status('fashion')?.phase, spent()], ['promoted', 1]);
  await controller.submit(UNDO);
  t.equal(spent(), 0);
});

t.test('an export keeps what the trial had proven beside what its holdback shows', async (t) => {
  const world = new World();
  const decide: Decide = ({ spec }) => {
    const isWatch = spec.steps.every((step) => step.kind === 'analysis' && !step.require.length);
    const metric = isWatch ? 'errors' : 'pairedErrors';
    return aVerdict(isWatch ? 'inconclusive' : 'pass', { metrics: [aStatus({ metric })] });
  };
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  await controller.submit({ kind: 'start', spec: aSpec({ steps: STEPS, minRequests: 0 }) });
  await controller.loaded('fashion');
  await looks(world, controller, 4);
  t.equal(controller.status('fashion')?.phase, 'holdback');
  const found = await exportEvidence(() => ledger.records(), { idOrModel: 'fashion' }, { decide });
  t.same(
    found?.evidence.metrics.map(({ label }) => label),
    ['errors', 'pairedErrors'],
  );
  t.same(found?.replayed.disagreements, 0);
});
