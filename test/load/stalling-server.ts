/**
 * Servers whose delays are known, each in a process of its own, started with `fork`; tells its port. `stall`: answers at once,
 * but stands still for 300 ms in every 2 s from its first request on. `fixed`: answers 5 ms after a request has come, and says
 * on demand how long its answers really took it.
 */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { systemClock } from '../../src/core/clock.ts';

const EVERY_MS = 2_000;
const STALL_MS = 300;
const FIXED_MS = 5;
/** Before this a timer is waited for, which may be so late; after it, the clock is looked at again and again. */
const TIMER_MS = 3;
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

const tookMs: number[] = [];
const due: { readonly socket: Socket; readonly cameMs: number }[] = [];
let startedMs: number | undefined;

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', () =>
    process.argv[2] === 'fixed' ? answerLater(socket) : answerOrStall(socket),
  );
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('message', () => process.send?.(tookMs));
process.on('disconnect', () => process.exit());

function answerOrStall(socket: Socket): void {
  const nowMs = systemClock.monotonicMs();
  startedMs ??= nowMs;
  const phaseMs = (nowMs - startedMs) % EVERY_MS;
  const untilMs = nowMs + EVERY_MS - phaseMs;
  // Standing still at the end of each round: nothing else is read meanwhile.
  if (phaseMs > EVERY_MS - STALL_MS) while (systemClock.monotonicMs() < untilMs);
  socket.write(ANSWER);
}

function answerLater(socket: Socket): void {
  due.push({ socket, cameMs: systemClock.monotonicMs() });
  setTimeout(turn, FIXED_MS - TIMER_MS);
}

function turn(): void {
  const [first] = due;
  if (!first) return;
  if (systemClock.monotonicMs() - first.cameMs >= FIXED_MS) {
    due.shift();
    first.socket.write(ANSWER);
    tookMs.push(systemClock.monotonicMs() - first.cameMs);
  } else setImmediate(turn);
}
