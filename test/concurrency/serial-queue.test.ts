import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';
import { holdingAll } from '../../src/concurrency/holding-all.ts';
import { SerialQueue } from '../../src/concurrency/serial-queue.ts';
import { Turns } from '../../src/concurrency/serial-queues.ts';

t.test('a piece that fails does not stop the next, and rejects for its own caller', async (t) => {
  const queue = new SerialQueue();
  const order: string[] = [];
  const failed = queue.run(async () => {
    order.push('first');
    throw new Error('no disk');
  });
  const next = queue.run(async () => {
    order.push('second');
    return 2;
  });
  t.notOk(queue.isIdle());
  await t.rejects(failed, { message: 'no disk' });
  t.equal(await next, 2);
  await queue.drained();
  t.same(order, ['first', 'second']);
  t.ok(queue.isIdle());
});

t.test('the queue of one key does not wait for that of another', async (t) => {
  const queues = new Turns();
  const busy = deferred<void>();
  void queues.run('a', () => busy.promise);
  t.equal(await queues.run('b', async () => 'done'), 'done');
  t.notOk(queues.isIdle('a'));
  t.ok(queues.isIdle('c'));
  busy.resolve();
  await queues.drained();
  t.ok(queues.isIdle('a'));
});

t.test('work that needs several queues waits for all of them, or gives up', async (t) => {
  const [a, b] = [new SerialQueue(), new SerialQueue()];
  const busy = deferred<void>();
  void b.run(() => busy.promise);
  const both = [a, b].map((queue) => (work: () => Promise<void>) => queue.run(work));
  const late = (): Error => new Error('too late');
  let runs = 0;
  const work = async (): Promise<number> => {
    t.notOk(a.isIdle() || b.isIdle(), 'it holds both');
    runs += 1;
    return runs;
  };
  await t.rejects(holdingAll(both, { waitMsMax: 5, late }, work), { message: 'too late' });
  const held = holdingAll(both, { waitMsMax: 60_000, late }, work);
  await turn();
  t.equal(runs, 0);
  busy.resolve();
  t.equal(await held, 1);
  await a.drained();
  await b.drained();
  t.ok(a.isIdle() && b.isIdle(), 'and leaves both');
});
