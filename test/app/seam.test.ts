import t from 'tap';
import { createOrderedRoutes, endTripped } from '../../src/app/seam.ts';
import type { Order } from '../../src/core/messages.ts';
import { aRoute } from '../rollout/builders.ts';

t.test('a change of routes is ordered from the serving side', async (t) => {
  const log: string[] = [];
  const routes = createOrderedRoutes((order: Order) => log.push(structuredClone(order).kind));
  routes.write(aRoute({ stable: '1' }));
  t.equal(routes.read('fashion')?.stable, '1');
  routes.remove('fashion');
  t.same(routes.list(), []);
  t.same(log, ['route', 'noRoute']);
});

t.test(
  'a version that is not on trial may keep ending without an end to the rollout',
  async (t) => {
    const tripped: string[] = [];
    const controller = {
      status: () => ({ candidate: '2' }) as never,
      trip: async (model: string) => void tripped.push(model),
    };
    for (const version of ['1', '2']) {
      const target = { model: 'fashion', version };
      const trip = { cause: 'crashLoop', detail: 'SIGBUS' } as const;
      endTripped(controller as never, { kind: 'tripped', target, trip });
    }
    t.same(tripped, ['fashion']);
  },
);
