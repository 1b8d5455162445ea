import t from 'tap';
import type { Adoption } from '../../src/core/adoption.ts';
import type { LedgerRecord } from '../../src/core/record.ts';
import type { MemoryLedger } from '../../src/ledger/memory.ts';
import type { Controller } from '../../src/rollout/controller.ts';
import { replay } from '../../src/rollout/history/replay.ts';
import { aRoute, aSpec, decideByLabel, evidenceOf, World } from './builders.ts';

const START = { kind: 'start', spec: aSpec() } as const;
const ABORT = { kind: 'abort', model: 'fashion', reason: 'changed my mind' } as const;
const STABLE = 'stable=1:10000';

async function aRunning(world: World): Promise<{ controller: Controller; ledger: MemoryLedger }> {
  const booted = world.boot();
  await world.resume(booted.controller);
  await booted.controller.submit(START);
  await booted.controller.loaded('fashion');
  return booted;
}

/** Ticks a second apart, with this evidence. */
async function ticks(world: World, controller: Controller, count = 1): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    world.clock.advance(1000);
    await controller.tick();
  }
}

async function toTenth(world: World, controller: Controller): Promise<void> {
  world.evidence = evidenceOf('pass');
  await ticks(world, controller, 2);
}

function kindsOf(records: readonly LedgerRecord[]): readonly string[] {
  return records.map(({ body }) =>
    body.kind === 'decision' ? body.decision.action.kind : body.kind,
  );
}

t.test('takes a good candidate from shadow to promoted, loading before it routes', async (t) => {
  const world = new World();
  const { controller, ledger } = await aRunning(world);
  t.equal(world.shares(), `${STABLE} mirror`);
  await toTenth(world, controller);
  t.equal(world.shares(), 'candidate=2:1000 stable=1:8000 control=1:1000 mirror');
  await ticks(world, controller, 2);
  t.match(controller.status('fashion'), { why: /0 of 100 requests/, setWeightBp: 1000 });
  world.evidence = evidenceOf('pass', 100);
  await ticks(world, controller);
  t.equal(world.shares(), 'candidate=2:5000 stable=1:5000 mirror');
  world.evidence = evidenceOf('pass', 200);
  await ticks(world, controller, 3);
  t.equal(world.shares(), 'stable=2:10000');
  t.match(controller.status('fashion'), { phase: 'promoted', verdict: 'pass', id: 'fashion-2-1' });
  const written = world.log.filter((line) => /candidate=2:1000|stable=2/.test(line));
  t.match(written, [/^write candidate/, /^write stable=2/]);
  t.same(world.log.slice(-3), ['prepare promoted', 'write stable=2:10000', 'release fashion-2-1']);
  t.same(world.errors, []);
  t.same(await replay(ledger.records(), decideByLabel), {
    records: ledger.records().length,
    decisions: kindsOf(ledger.records()).filter((kind) => /wait|enterStep|promote/.test(kind))
      .length,
    disagreements: [],
  });
  await ticks(world, controller, 3);
  t.equal(kindsOf(ledger.records()).at(-1), 'route', 'nothing more is decided');
});

t.test('leads away from a candidate proven worse before it is unloaded', async (t) => {
  const world = new World();
  const { controller, ledger } = await aRunning(world);
  await toTenth(world, controller);
  world.evidence = evidenceOf('fail', 3);
  await ticks(world, controller);
  t.same(world.log.slice(-2), [`write ${STABLE}`, 'release fashion-2-1']);
  t.match(controller.status('fashion'), {
    phase: 'rolledBack',
    decidedBy: ['pairedErrors'],
    setWeightBp: 0,
    headHash: ledger.records().at(-2)?.hash,
  });
  t.same(kindsOf(ledger.records()).slice(-2), ['rollBack', 'route']);
});

t.test('pauses on what cannot be measured, and still rolls back a paused candidate', async (t) => {
  const world = new World();
  const { controller } = await aRunning(world);
  await toTenth(world, controller);
  world.evidence = evidenceOf('error');
  await ticks(world, controller);
  t.match(controller.status('fashion'), { phase: 'paused', why: /could not measure/ });
  world.evidence = evidenceOf('inconclusive');
  t.match(await controller.submit({ ...ABORT, kind: 'resume' }), { kind: 'applied' });
  t.match(controller.status('fashion'), { phase: 'progressing', step: { number: 3 } });
  world.evidence = evidenceOf('error');
  await ticks(world, controller);
  world.evidence = evidenceOf('fail');
  await ticks(world, controller);
  t.match(controller.status('fashion'), { phase: 'rolledBack' });
  t.equal(world.shares(), STABLE);
});

t.test(
  'a candidate that cannot be loaded ends as loadFailed, and no traffic was routed to it',
  async (t) => {
    const world = new World();
    const { controller, ledger } = await aRunning(world);
    world.prepareFault = 'out of file descriptors';
    await toTenth(world, controller);
    t.match(controller.status('fashion'), {
      phase: 'rolledBack',
      decidedBy: ['loadFailed'],
      why: 'loadFailed: out of file descriptors',
    });
    t.notOk(world.log.some((line) => line.startsWith('write candidate')));
    t.ok(kindsOf(ledger.records()).includes('breaker'));
  },
);

t.test('a crash loop ends the trial immediately, regardless of the statistics', async (t) => {
  const world = new World();
  const { controller } = await aRunning(world);
  await toTenth(world, controller);
  await controller.trip('fashion', { cause: 'crashLoop', detail: '3 crashes in 10 s' });
  t.equal(world.shares(), STABLE);
  t.match(controller.status('fashion'), { phase: 'rolledBack', decidedBy: ['crashLoop'] });
  await controller.trip('fashion', { cause: 'crashLoop', detail: 'again' });
  t.match(controller.status('fashion'), { why: /3 crashes/ });
  t.equal((await controller.submit(START)).kind, 'applied', 'the next trial may begin');
  t.match(controller.status('fashion'), { id: 'fashion-2-2' });
});

t.test('commands are on record with what came of them', async (t) => {
  const world = new World();
  world.notComparable.set('3', 'outputs: other ones');
  const { controller, ledger } = world.boot();
  await world.resume(controller);
  const route = {
    kind: 'setRoute',
    model: 'fashion',
    revision: 1,
    stable: '1',
    mirror: undefined,
  } as const;
  const split = [
    { arm: 'other', version: '3', weightBp: 500 },
    { arm: 'stable', version: '1', weightBp: 9500 },
  ] as const;
  const cases = [
    [{ ...ABORT }, 'no_rollout'],
    [{ ...route, shares: split.slice(0, 1) }, 'invalid'],
    [{ ...route, shares: split, stable: '9' }, 'unknown_version'],
    [{ ...route, shares: split, revision: 7 }, 'revision_moved'],
    [{ ...route, model: 'none', shares: split }, 'unknown_model'],
    [{ ...route, shares: split }, undefined],
    [START, 'route_in_the_way'],
    [
      { ...route, revision: 2, shares: [{ arm: 'stable', version: '1', weightBp: 10_000 }] },
      undefined,
    ],
    [{ kind: 'start', spec: aSpec({ candidate: '1' }) }, 'invalid'],
    [{ kind: 'start', spec: aSpec({ candidate: '9' }) }, 'unknown_version'],
    [{ kind: 'start', spec: aSpec({ candidate: '3' }) }, 'not_comparable'],
    [{ kind: 'start', spec: aSpec({ stable: '3' }) }, 'invalid'],
    [START, undefined],
    [START, 'rollout_running'],
    [{ ...route, revision: 4, shares: split }, 'rollout_running'],
    [{ ...ABORT, kind: 'resume' }, 'not_paused'],
    [{ ...ABORT, kind: 'promote' }, undefined],
  ] as const;
  for (const [command, code] of cases) {
    const result = await controller.submit(command);
    t.equal(result.kind === 'refused' ? result.code : undefined, code, command.kind);
  }
  const commands = ledger.records().filter((record) => record.body.kind === 'command');
  t.equal(commands.length, cases.length);
  t.equal(world.shares(), 'stable=2:10000', 'an override promotes');
  t.match(controller.status('fashion'), { phase: 'promoted', why: 'promoted by hand' });
});

t.test('a route is set only when its versions are loaded', async (t) => {
  const world = new World();
  const { controller } = world.boot();
  await world.resume(controller);
  world.prepareFault = 'version 3 ran out of memory';
  const shares = [{ arm: 'stable', version: '3', weightBp: 10_000 }] as const;
  const command = { kind: 'setRoute', model: 'fashion', revision: 1, stable: '3', shares } as const;
  t.match(await controller.submit({ ...command, mirror: undefined }), { code: 'not_ready' });
  t.equal(world.shares(), STABLE);
  t.equal(world.log.at(-1), 'end of change', 'what was loaded for nothing is closed');
});

t.test('resumes after a kill from the recorded evidence and draws nothing again', async (t) => {
  const world = new World();
  const first = await aRunning(world);
  await toTenth(world, first.controller);
  world.evidence = evidenceOf('inconclusive', 40);
  await ticks(world, first.controller, 2);
  const salt = world.table.get('fashion')?.salt;
  const reborn = new World();
  reborn.clock.advance(60_000);
  const { controller, ledger } = reborn.boot(first.ledger.records());
  await reborn.resume(controller);
  t.equal(reborn.shares(), 'candidate=2:1000 stable=1:8000 control=1:1000 mirror');
  t.equal(reborn.table.get('fashion')?.salt, salt);
  t.same(reborn.evidence.live, evidenceOf('inconclusive', 40).live);
  t.same(reborn.log, [
    `write ${STABLE}`,
    'open fashion-2-1',
    `prepareRoute ${STABLE}`,
    'prepare progressing',
    'write candidate=2:1000 stable=1:8000 control=1:1000 mirror',
  ]);
  t.equal(ledger.records().length, first.ledger.records().length, 'resuming records nothing');
});

t.test(
  'evidence about other bytes is worth nothing: a package changed on disk ends the trial',
  async (t) => {
    const world = new World();
    const first = await aRunning(world);
    await toTenth(world, first.controller);
    const reborn = new World();
    reborn.digests.set('2', 'another');
    const { controller } = reborn.boot(first.ledger.records());
    await reborn.resume(controller);
    t.match(controller.status('fashion'), { phase: 'rolledBack', why: /package 2 has changed/ });
    t.equal(reborn.shares(), STABLE);
    t.notOk(reborn.log.includes('prepare progressing'));
  },
);

t.test('with a full disk nothing goes forward, and traffic is still taken away', async (t) => {
  const world = new World();
  const { controller, ledger } = await aRunning(world);
  await toTenth(world, controller);
  world.diskFault = 'ENOSPC';
  world.evidence = evidenceOf('pass', 100);
  await ticks(world, controller, 2);
  t.match(world.shares(), /^candidate=2:1000/, 'no step is entered that is not on record');
  world.evidence = evidenceOf('fail', 101);
  await ticks(world, controller, 2);
  t.equal(world.shares(), STABLE);
  t.match(controller.status('fashion'), {
    phase: 'rolledBack',
    onRecord: false,
    ledger: 'degraded (full): ENOSPC',
  });
  t.same(world.errors, [], 'the ledger reports its own faults');
  world.evidence = evidenceOf('pass', 500);
  world.diskFault = undefined;
  // What has ended in deed is put on record before anything else is heard.
  t.match(await controller.submit({ ...ABORT, kind: 'promote' }), { code: 'no_rollout' });
  await ticks(world, controller, 2);
  t.match(controller.status('fashion'), { phase: 'rolledBack', decidedBy: ['pairedErrors'] });
  t.equal(world.log.at(-1), 'release fashion-2-1');
  t.same((await replay(ledger.records(), decideByLabel)).disagreements, []);
});

t.test('decides nothing more once another process has written to the ledger', async (t) => {
  const world = new World();
  const { controller, ledger } = await aRunning(world);
  const command = { ...ABORT, model: 'other' };
  await ledger.append({ kind: 'command', command, refused: 'no model' }, ledger.head());
  world.evidence = evidenceOf('pass');
  await ticks(world, controller, 3);
  t.ok(controller.isFenced());
  t.equal(world.shares(), `${STABLE} mirror`);
  t.match(await controller.submit({ ...ABORT, kind: 'promote' }), { code: 'controller_fenced' });
  t.match(await controller.submit(ABORT), {
    kind: 'applied',
    notYet: { isDurable: false, why: /another process writes to the ledger: abort it there too/ },
  });
  t.equal(world.shares(), STABLE, 'but traffic is taken away');
});

t.test('records evidence rarely: checkpoints thin out as a trial grows old', async (t) => {
  const world = new World();
  const { controller, ledger } = await aRunning(world);
  const before = ledger.records().length;
  for (let second = 1; second <= 1000; second += 1) {
    world.evidence = evidenceOf('inconclusive', second);
    await ticks(world, controller);
  }
  const count = ledger.records().length - before;
  t.ok(count > 100 && count < 400, `${count} records in 1,000 looks`);
  const still = ledger.records().length;
  await ticks(world, controller, 200);
  t.ok(ledger.records().length <= still + 1, 'no new evidence, no record');
});

t.test('a tick that comes while the last one still loads is left out', async (t) => {
  const world = new World();
  const { controller, ledger } = await aRunning(world);
  world.evidence = evidenceOf('pass');
  await Promise.all([controller.tick(), controller.tick(), controller.tick()]);
  t.same(kindsOf(ledger.records()).filter((kind) => kind === 'enterStep').length, 1);
  await controller.stop();
});

/** A model that was read: version 1 alone unless said otherwise. */
function anAdoption(world: World, parts: Partial<Adoption> = {}): Adoption {
  return {
    configured: aRoute(),
    basis: 'written',
    isBrought: false,
    versions: new Set(['1', '2']),
    changed: new Set(),
    ...world.change(),
    commit: () => void world.log.push('commit'),
    ...parts,
  };
}

t.test('a model that appears is taken up where the record says it was', async (t) => {
  const world = new World();
  world.table.clear();
  const first = world.boot();
  await world.resume(first.controller);
  await first.controller.adopt(anAdoption(world));
  t.same(
    world.log,
    [`load ${STABLE}`, 'commit', `write ${STABLE}`, 'end of change'],
    'loaded, then routed',
  );
  const shares = [{ arm: 'stable', version: '2', weightBp: 10_000 }] as const;
  const toSecond = { kind: 'setRoute', model: 'fashion', stable: '2', shares } as const;
  await first.controller.submit({ ...toSecond, mirror: undefined, revision: 1 });
  t.equal(await first.controller.forget('fashion'), undefined);
  t.equal(first.controller.route('fashion'), undefined);
  await first.controller.adopt(anAdoption(world));
  t.equal(world.shares(), 'stable=2:10000', 'the record goes before the configuration');
  const less = anAdoption(world, { versions: new Set(['1']) });
  t.match(await first.controller.adopt(less), {
    code: 'unknown_version',
    why: /^the route of fashion leads to version 2, which is not in the repository any more/,
  });
  t.equal(world.shares(), 'stable=2:10000', 'and no traffic is taken away from what is served');
  await first.controller.forget('fashion');
  await first.controller.adopt(less);
  t.equal(world.shares(), STABLE, 'where no traffic is served, what is gone counts no more');
  t.ok((first.controller.route('fashion')?.revision ?? 0) > 2, 'and it is read again');
});

t.test('a trial whose model comes late resumes once it is there', async (t) => {
  const world = new World();
  const { controller, ledger } = await aRunning(world);
  await toTenth(world, controller);
  const late = new World();
  late.table.clear();
  const again = late.boot(ledger.records());
  await late.resume(again.controller);
  t.same(late.log, [], 'there is no such model');
  await again.controller.adopt(anAdoption(late));
  await again.controller.loaded('fashion');
  t.same(late.log.slice(0, 3), [`load ${STABLE}`, 'commit', `write ${STABLE}`]);
  t.match(late.shares(), /candidate=2:1000/);
});

t.test('what a trial is about stays until it has ended', async (t) => {
  const world = new World();
  const { controller } = await aRunning(world);
  const before = world.log.length;
  for (const refusal of [
    await controller.adopt(anAdoption(world, { changed: new Set(['2']) })),
    await controller.forget('fashion'),
  ]) {
    t.match(refusal, { code: 'rollout_running', why: /^rollout fashion-2-1 is running/ });
  }
  t.equal(world.log.length, before, 'nothing was loaded, nothing was moved');
  const shares = world.shares();
  t.equal(await controller.adopt(anAdoption(world, { changed: new Set(['3']) })), undefined);
  t.equal(world.shares(), shares, 'another version may come while the trial runs');
  await controller.submit(ABORT);
  t.equal(await controller.forget('fashion'), undefined);
});

t.test('what cannot be loaded is not adopted', async (t) => {
  const world = new World();
  const { controller } = world.boot();
  await world.resume(controller);
  const [route, written] = [controller.route('fashion'), world.log.length];
  world.prepareFault = 'no such file';
  await t.rejects(controller.adopt(anAdoption(world)), { message: 'no such file' });
  t.same(world.log.slice(written + 1), ['end of change'], 'what was loaded for nothing is closed');
  t.equal(controller.route('fashion'), route);
});
