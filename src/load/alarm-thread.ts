/**
 * Sleeps for the event loop of a `ThreadAlarm`, whose own timers know whole milliseconds only. It looks at no clock: it is told
 * how long to sleep, and an order that comes meanwhile replaces the one before.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { alarmMemory, NO_MORE } from './alarm-memory.ts';

const { orders, sleepMs } = alarmMemory(workerData as SharedArrayBuffer);
for (let order = 0; ; ) {
  Atomics.wait(orders, 0, order);
  order = Atomics.load(orders, 0);
  if (sleepMs[0] === NO_MORE) break;
  const slept = Atomics.wait(orders, 0, order, sleepMs[0]);
  if (slept === 'timed-out') parentPort?.postMessage(order);
}
