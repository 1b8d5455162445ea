import t, { type Test } from 'tap';
import { type Deferred, deferred } from '../../../src/concurrency/deferred.ts';
import type { Adoption } from '../../../src/core/adoption.ts';
import type { Reconfiguration } from '../../../src/core/reconfiguration.ts';
import type { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { Controller } from '../../../src/rollout/controller.ts';
import { aRoute, aSpec, World } from '../builders.ts';

const START = { kind: 'start', spec: aSpec() } as const;
const ABORT = { kind: 'abort', model: 'fashion', reason: 'changed my mind' } as const;
const STABLE = 'stable=1:10000';
const TO_THIRD = {
  kind: 'setRoute',
  model: 'fashion',
  revision: 1,
  stable: '3',
  shares: [{ arm: 'stable', version: '3', weightBp: 10_000 }],
  mirror: undefined,
} as const;

type Running = {
  readonly world: World;
  readonly gate: Deferred<void>;
  readonly controller: Controller;
  readonly ledger: MemoryLedger;
};

/** What the next change leads to hangs at load until the gate opens. */
async function aWorld({ isOnTrial }: { readonly isOnTrial: boolean }): Promise<Running> {
  const world = new World();
  const booted = world.boot();
  await world.resume(booted.controller);
  if (isOnTrial) {
    await booted.controller.submit(START);
    await booted.controller.loaded('fashion');
  }
  const gate = deferred<void>();
  world.changeGate = gate.promise;
  return { world, gate, ...booted };
}

/** The packages were read again: version 3, of no trial, is another one. */
function aReading(world: World): Adoption {
  return {
    ...world.change(),
    configured: aRoute(),
    basis: 'written',
    isBrought: false,
    versions: new Set(['1', '2', '3']),
    changed: new Set(['3']),
    commit: () => void world.log.push('commit'),
  };
}

function aReload(world: World): Reconfiguration {
  const model = {
    ...{ model: 'fashion', rules: [], aliases: {}, asked: undefined, trialKeys: [] },
    ...{ changed: new Set(['3']), versions: new Set(['1', '2', '3']), needsHosts: true },
    ...world.change(),
  };
  return {
    command: { actor: 'admin', reason: 'a test', changes: [], changesOmitted: 0 },
    models: [model],
    isDryRun: false,
    commit: () => void world.log.push('commit'),
  };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Aborts while the change hangs, then lets it continue. */
async function abortMeanwhile(t: Test, { world, gate, controller, ledger }: Running) {
  await soon();
  t.ok(world.log.at(-1)?.startsWith('load '), 'the change is being loaded');
  const aborted = await controller.submit(ABORT);
  t.match(aborted, { kind: 'applied', rolloutId: 'fashion-2-1', notYet: undefined });
  const commands = ledger.records().filter(({ body }) => body.kind === 'command');
  t.match(commands.at(-1)?.body, { command: ABORT, refused: undefined }, 'on record by now');
  t.match(controller.status('fashion'), { phase: 'aborted' });
  t.equal(world.shares(), STABLE);
  t.notOk(world.log.includes('commit'), 'before what hangs is loaded');
  gate.resolve();
}

t.test('an abort is recorded immediately while packages that are read again hang', async (t) => {
  const running = await aWorld({ isOnTrial: true });
  const adopted = running.controller.adopt(aReading(running.world));
  await abortMeanwhile(t, running);
  t.equal(await adopted, undefined, 'they are taken up all the same');
  t.ok(running.world.log.includes('commit'));
  t.equal(running.world.shares(), STABLE, 'and nothing leads to the candidate again');
  t.same(running.world.errors, []);
});

t.test('an abort is recorded immediately while a reload of the configuration hangs', async (t) => {
  const running = await aWorld({ isOnTrial: true });
  const reloaded = running.controller.reconfigure(aReload(running.world));
  await abortMeanwhile(t, running);
  t.equal(await reloaded, undefined);
  t.ok(running.world.log.includes('commit'));
  t.equal(running.world.shares(), STABLE);
});

t.test('a route is loaded outside the turn, and no rollout starts before it is set', async (t) => {
  const { world, gate, controller } = await aWorld({ isOnTrial: false });
  const set = controller.submit(TO_THIRD);
  const started = controller.submit(START);
  await soon();
  t.match(
    await controller.submit(ABORT),
    { code: 'no_rollout' },
    'a command is answered immediately',
  );
  t.equal(world.shares(), STABLE, 'the route waits for what it leads to');
  gate.resolve();
  t.match(await set, { kind: 'applied', revision: 2 });
  t.equal(world.shares(), 'stable=3:10000');
  t.match(await started, { code: 'invalid', why: /^stable of fashion is version 3/ });
});

t.test('a process that ends while a route is loaded sets it no more', async (t) => {
  const { world, gate, controller, ledger } = await aWorld({ isOnTrial: false });
  const set = controller.submit(TO_THIRD);
  await soon();
  const stopped = controller.stop();
  world.prepareFault = 'its load was given up';
  gate.resolve();
  await stopped;
  t.match(await set, { code: 'not_ready', why: 'its load was given up' });
  t.match(ledger.records().at(-1)?.body, { kind: 'command', refused: 'its load was given up' });
  t.equal(world.shares(), STABLE);
});

t.test('a change whose route is overtaken is loaded for the new one', async (t) => {
  const { world, gate, controller } = await aWorld({ isOnTrial: true });
  const isPrepared = (route: { readonly mirror: unknown }): boolean => route.mirror === undefined;
  const adopted = controller.adopt({ ...aReading(world), isPrepared });
  await soon();
  await controller.submit(ABORT);
  gate.resolve();
  t.equal(await adopted, undefined);
  const loads = world.log.filter((line) => line.startsWith('load '));
  t.same(loads, [`load ${STABLE} mirror`], 'what was loaded is enough for the route that is left');
});

t.test('a change that is overtaken each time is given up', async (t) => {
  const { world, gate, controller } = await aWorld({ isOnTrial: false });
  gate.resolve();
  const adoption = { ...aReading(world), isPrepared: () => false };
  t.match(await controller.adopt(adoption), { code: 'not_ready', why: /changed while/ });
  const loads = world.log.filter((line) => line.startsWith('load '));
  t.equal(loads.length, 5, 'and nothing is loaded that no attempt follows');
  t.notOk(world.log.includes('commit'));
  t.equal(world.log.at(-1), 'end of change', 'what was loaded for nothing is closed');
});
