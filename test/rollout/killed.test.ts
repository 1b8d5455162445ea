import t from 'tap';
import type { LedgerRecord } from '../../src/core/record.ts';
import type { VerdictKind } from '../../src/core/verdict.ts';
import type { Controller } from '../../src/rollout/controller.ts';
import { replay } from '../../src/rollout/history/replay.ts';
import { routeOnRecord } from '../support/route-on-record.ts';
import { aRoute, aSpec, decideByLabel, evidenceOf, TENTH, World } from './builders.ts';

const MODEL = { model: 'fashion', reason: 'asked for' } as const;
const HALF = [
  { arm: 'other', version: '3', weightBp: 5_000 },
  { arm: 'stable', version: '1', weightBp: 5_000 },
] as const;

type Life = (world: World, controller: Controller) => Promise<unknown>;

/** A look a second later, which finds this. */
async function look(
  world: World,
  controller: Controller,
  [kind, requests]: readonly [VerdictKind, number],
): Promise<void> {
  await new Promise(setImmediate);
  world.clock.advance(1_000);
  world.evidence = evidenceOf(kind, requests);
  await controller.tick();
}

async function toCanary(world: World, controller: Controller): Promise<void> {
  await controller.submit({ kind: 'start', spec: aSpec() });
  await look(world, controller, ['pass', 0]);
  await look(world, controller, ['pass', 0]);
}

async function toHoldback(world: World, controller: Controller): Promise<void> {
  const holdback = { percent: 5, durationMs: 3_600_000 };
  const spec = aSpec({ steps: [TENTH, { kind: 'promote', holdback }] });
  await controller.submit({ kind: 'start', spec });
  await look(world, controller, ['inconclusive', 60]);
  await controller.submit({ ...MODEL, kind: 'promote' });
}

const LIVES: Readonly<Record<string, Life>> = {
  'promoted on proof': async (world, controller) => {
    await toCanary(world, controller);
    for (const requests of [100, 200, 300, 400]) await look(world, controller, ['pass', requests]);
  },
  'promoted by hand': async (world, controller) => {
    await toCanary(world, controller);
    await controller.submit({ ...MODEL, kind: 'promote' });
  },
  'held back, and promoted by hand': async (world, controller) => {
    await toHoldback(world, controller);
    await look(world, controller, ['inconclusive', 7]);
    await controller.submit({ ...MODEL, kind: 'promote' });
  },
  'held back until its time is over': async (world, controller) => {
    await toHoldback(world, controller);
    world.clock.advance(3_600_000);
    await look(world, controller, ['inconclusive', 7]);
  },
  'held back and proven worse': async (world, controller) => {
    await toHoldback(world, controller);
    await look(world, controller, ['fail', 7]);
  },
  'held back and undone': async (world, controller) => {
    await toHoldback(world, controller);
    await controller.submit({ ...MODEL, kind: 'undo' });
  },
  'undone after its promotion': async (world, controller) => {
    await toCanary(world, controller);
    await controller.submit({ ...MODEL, kind: 'promote' });
    await controller.submit({ ...MODEL, kind: 'undo' });
  },
  aborted: async (world, controller) => {
    await toCanary(world, controller);
    await controller.submit({ ...MODEL, kind: 'abort' });
  },
  'proven worse': async (world, controller) => {
    await toCanary(world, controller);
    await look(world, controller, ['fail', 50]);
  },
  'killed by its candidate': async (world, controller) => {
    await toCanary(world, controller);
    await controller.trip('fashion', { cause: 'crashLoop', detail: '3 crashes' });
  },
  'a route that is set': async (_, controller) =>
    controller.submit({
      kind: 'setRoute',
      model: 'fashion',
      revision: 1,
      stable: '1',
      shares: HALF,
      mirror: undefined,
    }),
};

/** The records of a process that dies right after its n-th record, before anything that follows from it. */
async function recordsOf(life: Life, dies: number): Promise<readonly LedgerRecord[]> {
  const world = new World();
  const { controller, ledger } = world.boot();
  world.afterAppend = () =>
    ledger.records().length < dies ? Promise.resolve() : new Promise(() => undefined);
  await world.resume(controller);
  let isOver = false;
  void life(world, controller).then(() => {
    isOver = true;
  });
  while (!isOver && ledger.records().length < dies) await new Promise(setImmediate);
  return ledger.records();
}

/** Routes that were written before what they lead to was loaded; but for the first, which gets no traffic until it is. */
function notPrepared(log: readonly string[]): readonly string[] {
  return log.filter((line, at) => {
    const shares = /^write (.*)$/.exec(line)?.[1];
    if (shares === undefined || at === log.findIndex((it) => it.startsWith('write'))) return false;
    const before = log.slice(0, at);
    const isPrepared = before.some((it) => it === `prepareRoute ${shares}` || /^prepare /.test(it));
    return shares !== firstOf(log) && !isPrepared;
  });
}

/** The shares that the process begins with. */
function firstOf(log: readonly string[]): string | undefined {
  return log.flatMap((line) => /^write (.*)$/.exec(line)?.[1] ?? [])[0];
}

for (const [name, life] of Object.entries(LIVES)) {
  t.test(`a process killed after any record resumes as the ledger says: ${name}`, async (t) => {
    const { length } = await recordsOf(life, Number.POSITIVE_INFINITY);
    t.ok(length >= 2);
    for (let dies = 1; dies <= length; dies += 1) {
      const records = await recordsOf(life, dies);
      t.equal(records.length, dies);
      const reborn = new World();
      const { controller, ledger } = reborn.boot(records);
      await reborn.resume(controller);
      const { route } = routeOnRecord(ledger.records(), aRoute());
      const { stable, shares, mirror } = reborn.table.get('fashion') ?? aRoute();
      t.same({ stable, shares, mirror }, route, `after record ${dies}`);
      t.same(notPrepared(reborn.log), [], 'no traffic goes to what is not loaded');
      const owed = ledger.records().slice(dies);
      t.same(
        owed.filter(({ body }) => !['rolloutLoaded', 'route'].includes(body.kind)),
        [],
        'nothing is still to be recorded but what is carried out',
      );
      await look(reborn, controller, ['inconclusive', 60]);
      await look(reborn, controller, ['inconclusive', 60]);
      const { disagreements } = await replay(ledger.records(), decideByLabel);
      t.same(disagreements, []);
      const actions = ledger
        .records()
        .flatMap(({ body }) =>
          body.kind === 'decision' && body.decision.action.kind !== 'wait'
            ? [JSON.stringify(body.after?.phase)]
            : [],
        );
      t.equal(new Set(actions).size, actions.length, 'nothing is decided twice');
      t.same(reborn.errors, []);
    }
  });
}
