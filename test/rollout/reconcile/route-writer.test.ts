import t from 'tap';
import type { Route } from '../../../src/core/route.ts';
import { createRouteTable } from '../../../src/gateway/route-table.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import { Logbook } from '../../../src/rollout/history/logbook.ts';
import { RouteWriter } from '../../../src/rollout/reconcile/route-writer.ts';
import { aRoute, World } from '../builders.ts';

/** A writer whose log says what was written and what was reconciled, in order. */
function aWriter(isOutdated: (route: Route) => boolean = () => false) {
  const ledger = new MemoryLedger(new World().clock);
  const table = createRouteTable([aRoute()]);
  const log: string[] = [];
  const writer = new RouteWriter({
    book: new Logbook(ledger),
    routes: {
      ...table,
      write: (route) => {
        log.push(`${ledger.records().length} on record, write ${route.stable}`);
        table.write(route);
      },
    },
    deployer: { reconcile: (model) => log.push(`reconcile ${table.read(model)?.stable}`) },
    isOutdated,
  });
  return { writer, table, log };
}

const toSecond = aRoute({
  stable: '2',
  shares: [{ arm: 'stable', version: '2', weightBp: 10_000 }],
});

t.test('a route is on record, then written, and then what is idle is closed', async (t) => {
  const { writer, log } = aWriter();
  await writer.write(toSecond, 'command');
  t.same(log, ['1 on record, write 2', 'reconcile 2']);
});

t.test('traffic is led away without a record, and what is idle is closed', async (t) => {
  const { writer, table, log } = aWriter();
  writer.writeUnrecorded(toSecond);
  t.same(log, ['0 on record, write 2', 'reconcile 2']);
  t.equal(table.read('fashion')?.revision, 2);
  writer.remove('fashion');
  t.equal(log.at(-1), 'reconcile undefined', 'of a model without a route all is closed');
});

t.test('a route that is outdated once it is on record is not written', async (t) => {
  const { writer, log } = aWriter(() => true);
  await writer.write(toSecond, 'command');
  t.same(log, []);
});
