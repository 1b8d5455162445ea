import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';
import { BoundedQueue } from '../../src/disk/bounded-queue.ts';

const HUNG = {
  name: 'DiskHungError',
  message: 'the disk under the ledger has not answered for 0.02 s',
};

function aQueue(): BoundedQueue {
  return new BoundedQueue({ disk: 'the ledger', msMax: 20 });
}

t.test('work is done one piece after the other, and a failed one stops none', async (t) => {
  const queue = new BoundedQueue({ disk: 'the ledger', msMax: 60_000 });
  const gate = deferred<string>();
  const first = queue.run(() => gate.promise);
  const second = queue.run(async () => Promise.reject(new Error('refused')));
  const third = queue.run(async () => 'third');
  gate.resolve('first');
  t.equal(await first, 'first');
  await t.rejects(second, { message: 'refused' });
  t.equal(await third, 'third');
});

t.test('work that hangs is given up, and what waits behind it is never begun', async (t) => {
  const queue = aQueue();
  const gate = deferred<void>();
  let begun = 0;
  await t.rejects(
    queue.run(() => gate.promise),
    HUNG,
  );
  const waiting = queue.run(async () => {
    begun += 1;
  });
  await t.rejects(waiting, HUNG);
  t.equal(queue.isStuck(), true);
  gate.resolve();
  t.equal(await queue.run(async () => 'after it'), 'after it');
  t.same([begun, queue.isStuck()], [0, false]);
});
