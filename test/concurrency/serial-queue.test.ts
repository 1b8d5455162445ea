import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';
import { SerialQueue } from '../../src/concurrency/serial-queue.ts';
import { SerialQueues } from '../../src/concurrency/serial-queues.ts';

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
  const queues = new SerialQueues();
  const busy = deferred<void>();
  void queues.run('a', () => busy.promise);
  t.equal(await queues.run('b', async () => 'done'), 'done');
  t.notOk(queues.isIdle('a'));
  t.ok(queues.isIdle('c'));
  busy.resolve();
  await queues.drained();
  t.ok(queues.isIdle('a'));
});

t.test('a key takes no memory once its tasks have ended, whether they fail or not', async (t) => {
  const queues = new SerialQueues();
  for (let key = 0; key < 100; key += 1) {
    await queues.run(`made up ${key}`, async () => key);
    await t.rejects(queues.run(`made up ${key}`, () => Promise.reject(new Error('no'))));
    t.ok(queues.isIdle(`made up ${key}`));
  }
  // A task that comes while the one before it ends waits for none, and is not forgotten.
  let order = '';
  const task = (name: string) => async (): Promise<void> => {
    order += name;
    await turn();
    order += name;
  };
  const first = queues.run('a', task('1'));
  const next = first.then(() => queues.run('a', task('2')));
  const third = first.finally(() => queues.run('a', task('3')));
  await Promise.all([first, next, third]);
  await queues.drained();
  t.equal(order, '112233');
});

t.test('a task that needs several keys waits for all of them, or gives up', async (t) => {
  const queues = new SerialQueues();
  const busy = deferred<void>();
  void queues.run('b', () => busy.promise);
  const late = (): Error => new Error('too late');
  let runs = 0;
  const task = async (): Promise<number> => {
    t.notOk(queues.isIdle('a') || queues.isIdle('b'), 'it holds both');
    runs += 1;
    return runs;
  };
  await t.rejects(queues.holdAll(['a', 'b'], { waitMsMax: 5, late }, task), {
    message: 'too late',
  });
  const held = queues.holdAll(['a', 'b'], { waitMsMax: 60_000, late }, task);
  await turn();
  t.equal(runs, 0);
  busy.resolve();
  t.equal(await held, 1);
  await queues.drained();
  t.ok(queues.isIdle('a') && queues.isIdle('b'), 'and leaves both');
});

t.test(
  'tasks that name the same keys in any order, or twice, do not block each other',
  async (t) => {
    const queues = new SerialQueues();
    const options = { waitMsMax: 60_000, late: () => new Error('too late') };
    const keys = [
      ['a', 'b'],
      ['b', 'a'],
      ['b', 'c', 'a'],
      ['c', 'c'],
    ];
    let running = 0;
    const task = async (): Promise<number> => {
      running += 1;
      await turn();
      const seen = running;
      running -= 1;
      return seen;
    };
    t.same(
      await Promise.all(keys.slice(0, 3).map((each) => queues.holdAll(each, options, task))),
      [1, 1, 1],
    );
    t.equal(await queues.holdAll(keys[3] ?? [], options, task), 1);
  },
);
