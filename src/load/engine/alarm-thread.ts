/**
 * Sleeps for the event loop of a `ThreadAlarm`, whose own timers know whole milliseconds only. It looks at no clock: an order
 * says how long to sleep, and one that comes meanwhile replaces the one before.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { alarmMemory, NO_MORE } from './alarm-memory.ts';

const { orders, sleepMs } = alarmMemory(workerData as SharedArrayBuffer);
// No caller waits for order 0: this says that the thread listens. Until then it would sleep by an order too late.
parentPort?.postMessage(0);
for (let order = 0; ; ) {
  Atomics.wait(orders, 0, order);
  order = Atomics.load(orders, 0);
  if (sleepMs[0] === NO_MORE) break;
  let slept: ReturnType<typeof Atomics.wait>;
  // Woken for the very order that it sleeps on, which it had read between its storing and its notifying: that is no reason to get up.
  do slept = Atomics.wait(orders, 0, order, sleepMs[0]);
  while (slept === 'ok' && Atomics.load(orders, 0) === order);
  if (slept === 'timed-out') parentPort?.postMessage(order);
}
