import t from 'tap';
import type { RouteBasis } from '../../src/core/adoption.ts';
import type { Controller } from '../../src/rollout/controller.ts';
import { allTo } from '../../src/rollout/history/route-for.ts';
import { aRoute, World } from './builders.ts';

/** The configured route, with all traffic at one version. */
function configured(stable: string) {
  return { ...aRoute(), stable, shares: allTo(stable), revision: 0 };
}

/** A start that would choose this version for want of a route, or as it follows the newest. */
async function aStart(
  before: World | undefined,
  { basis, newest }: { readonly basis: RouteBasis; readonly newest: string },
  records: Parameters<World['boot']>[0] = [],
) {
  const world = before ?? new World();
  world.basis = basis;
  world.table.set('fashion', configured(newest));
  const booted = world.boot(records);
  await world.resume(booted.controller);
  return { ...booted, world };
}

function load(controller: Controller, stable: string, versions: readonly string[]) {
  return controller.adopt({
    configured: configured(stable),
    basis: 'nothing',
    isBrought: false,
    versions: new Set(versions),
    changed: new Set(),
    ...new World().change(),
    commit: () => {},
  });
}

t.test('what a first start chooses is on record, and later starts keep it', async (t) => {
  const first = await aStart(undefined, { basis: 'nothing', newest: '2' });
  t.same(first.world.log.slice(-2), ['prepareRoute stable=2:10000', 'chose fashion 2']);
  t.match(first.ledger.records(), [{ body: { kind: 'route', route: { stable: '2' } } }]);
  const records = first.ledger.records();
  const second = await aStart(undefined, { basis: 'nothing', newest: '3' }, records);
  t.equal(second.world.shares(), 'stable=2:10000');
  t.equal(second.ledger.records().length, 1, 'once');
  t.equal(await load(second.controller, '3', ['1', '2', '3']), undefined);
  t.equal(second.world.shares(), 'stable=2:10000', 'and so do loads');
});

t.test('a written route is not put on record by a start', async (t) => {
  const { ledger } = await aStart(undefined, { basis: 'written', newest: '2' });
  t.same(ledger.records(), []);
});

t.test('what could not be loaded is not worth a record', async (t) => {
  const world = new World();
  world.prepareFault = 'no such operator';
  const { ledger, controller } = await aStart(world, { basis: 'nothing', newest: '2' });
  t.same(ledger.records(), []);
  await load(controller, '3', ['2', '3']);
  t.match(ledger.records(), [{ body: { route: { stable: '3' } } }], 'the first load chooses');
});

t.test('a ledger that takes no record does not stop serving', async (t) => {
  const world = new World();
  world.diskFault = 'no space left';
  const { ledger, controller } = await aStart(world, { basis: 'nothing', newest: '2' });
  t.equal(world.shares(), 'stable=2:10000');
  t.same(world.errors, [], 'the ledger reports its own faults');
  t.same(ledger.records(), []);
  world.diskFault = undefined;
  await controller.tick();
  t.match(
    ledger.records(),
    [{ body: { route: { stable: '2' } } }],
    'it is recorded when it can be',
  );
});

t.test(
  'a setting to follow the newest overrules what was only chosen, and nothing else',
  async (t) => {
    const first = await aStart(undefined, { basis: 'nothing', newest: '1' });
    const chosen = first.ledger.records();
    const following = await aStart(undefined, { basis: 'newest', newest: '3' }, chosen);
    t.equal(following.world.shares(), 'stable=3:10000');
    const back = { kind: 'setRoute', model: 'fashion', stable: '1', shares: allTo('1') } as const;
    const result = await following.controller.submit({ ...back, mirror: undefined, revision: 0 });
    t.equal(result.kind, 'applied');
    const again = following.ledger.records();
    const later = await aStart(undefined, { basis: 'newest', newest: '3' }, again);
    t.equal(later.world.shares(), 'stable=1:10000', 'a route that a person set holds');
  },
);

t.test('a recorded version that is gone is not replaced by a start', async (t) => {
  const first = await aStart(undefined, { basis: 'nothing', newest: '2' });
  const world = new World();
  world.digests.delete('2');
  const later = await aStart(world, { basis: 'nothing', newest: '3' }, first.ledger.records());
  t.equal(later.world.shares(), 'stable=2:10000');
  t.match(await load(later.controller, '3', ['1', '3']), { code: 'unknown_version' });
  t.equal(later.world.shares(), 'stable=2:10000');
});
