import t from 'tap';
import { pageOf } from '../../src/rollout/summary.ts';
import { aSpec, evidenceOf, World } from './builders.ts';

const ITEMS = ['a', 'b', 'c', 'd', 'e'];
const itself = (item: string): string => item;

t.test('pages from the newest on show every item once', async (t) => {
  for (const limit of [1, 2, 3, 5, 9]) {
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = pageOf(ITEMS, { limit, before }, itself);
      seen.push(...(page?.items ?? []));
      before = page?.next;
    } while (before !== undefined);
    t.same(seen, [...ITEMS].reverse(), `limit ${limit}`);
  }
  t.equal(pageOf(ITEMS, { limit: 2, before: 'z' }, itself), undefined);
  t.same(pageOf([], { limit: 2, before: undefined }, itself)?.items, []);
});

t.test('a history says what ended each rollout', async (t) => {
  const world = new World();
  const { controller } = world.boot();
  await world.resume(controller);
  const asked = { model: 'fashion', reason: 'a reason' } as const;
  const start = async (stable = '1'): Promise<void> => {
    world.evidence = evidenceOf('inconclusive');
    const candidate = stable === '2' ? '3' : '2';
    await controller.submit({
      kind: 'start',
      spec: aSpec({ stable, candidate, minRequests: 0, onInconclusive: 'rollback' }),
    });
    await controller.loaded('fashion');
  };
  const look = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 1) {
      world.clock.advance(1_000);
      await controller.tick();
    }
  };
  await start();
  const by = { caller: 'key:ops', address: '127.0.0.1' };
  await controller.submit({ ...asked, kind: 'abort', by });
  await start();
  await controller.trip('fashion', { cause: 'crashLoop', detail: '3 crashes' });
  await start();
  world.clock.advance(aSpec().maxDurationMs);
  await look(1);
  await start();
  world.evidence = evidenceOf('fail');
  await look(1);
  await start();
  world.evidence = evidenceOf('pass', 200);
  await look(10);
  await start('2');
  await controller.submit({ ...asked, kind: 'promote' });
  await start('3');
  const page = controller.history('fashion', { limit: 50, before: undefined });
  t.same(
    page?.rollouts.map(({ endedBy, decidedBy }) => [endedBy, ...decidedBy].join(' ')),
    [
      '',
      'command',
      'evidence',
      'evidence pairedErrors',
      'limit maxDuration',
      'fault crashLoop',
      'command',
    ],
  );
  t.same(
    page?.rollouts.flatMap((rollout) => rollout.by ?? []),
    [by],
    'the one that aborted the first',
  );
  t.equal(page?.older, 0);
  t.equal(controller.history('fashion', { limit: 1, before: 'gone' }), undefined);
});
