import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { ALARM_MEMORY_BYTES, alarmMemory, NO_MORE } from '../../../src/load/engine/alarm-memory.ts';

// The notice of an order may reach the thread when it has read the order already, and sleeps by it.
t.test('an order that is notified twice is carried out all the same', async (t) => {
  const memory = new SharedArrayBuffer(ALARM_MEMORY_BYTES);
  const { orders, sleepMs } = alarmMemory(memory);
  // The order is there before the thread is, so that what it sleeps by first is the order.
  sleepMs[0] = 100;
  Atomics.store(orders, 0, 1);
  const thread = new Worker(new URL('../../../src/load/engine/alarm-thread.js', import.meta.url), {
    workerData: memory,
  });
  const ended = once(thread, 'exit');
  t.same(await once(thread, 'message'), [0], 'it says that it listens');
  const rung = once(thread, 'message');
  while (Atomics.notify(orders, 0) === 0) await setImmediate();
  t.same(await rung, [1]);
  sleepMs[0] = NO_MORE;
  Atomics.store(orders, 0, 2);
  Atomics.notify(orders, 0);
  t.same(await ended, [0], 'and the thread ends on its message');
});
