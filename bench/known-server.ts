/**
 * A bare HTTP server whose latency is known, to judge what measures it. Holds every answer for a while, and gives none while it
 * stalls: the last tenth of every period. Started with `fork`, the hold and the period in milliseconds (0: no stalls); sends its
 * port, and on demand how long it has held its answers by its own clock.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../src/core/clock.ts';
import { openAlarm } from '../src/load/engine/alarm.ts';
import { Histogram } from '../src/load/engine/histogram.ts';
import { type KnownNews, type KnownOrder, STALL_SHARE } from './known-process.ts';

const [holdMs = 0, periodMs = 0] = process.argv.slice(2).map(Number);
const startedMs = systemClock.monotonicMs();
const alarm = await openAlarm(systemClock);
let held = new Histogram();
/** In order of arrival, which is the order of their ends. */
const holding: { readonly response: ServerResponse; readonly arrivedMs: number }[] = [];

const server = createServer((request, response) => {
  const arrivedMs = systemClock.monotonicMs();
  request.resume();
  const waitMs = stallLeftMs(arrivedMs);
  if (holdMs > 0) {
    if (holding.push({ response, arrivedMs }) === 1) void release();
  } else if (waitMs === 0) answer(response, arrivedMs);
  else setTimeout(answer, waitMs, response, arrivedMs);
});
// A load's connections are its own affair.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  send({ kind: 'listening', port: (server.address() as AddressInfo).port });
});

process.on('message', ({ kind }: KnownOrder) => {
  if (kind === 'forget') held = new Histogram();
  send({ kind: 'held', held: held.summary() });
});
// The bench is gone.
process.on('disconnect', () => process.exit());

/** A timer would be late by up to a millisecond. A loop that turns without a break would not, and would take a core from the generator. */
async function release(): Promise<void> {
  for (let first = holding[0]; first !== undefined; first = holding[0]) {
    const atMs = first.arrivedMs + holdMs;
    while (systemClock.monotonicMs() < atMs) await alarm.until(atMs);
    holding.shift();
    answer(first.response, first.arrivedMs);
  }
}

function stallLeftMs(nowMs: number): number {
  if (periodMs === 0) return 0;
  const leftMs = periodMs - ((nowMs - startedMs) % periodMs);
  return leftMs <= STALL_SHARE * periodMs ? leftMs : 0;
}

function answer(response: ServerResponse, arrivedMs: number): void {
  response.end('x');
  held.add(systemClock.monotonicMs() - arrivedMs);
}

function send(news: KnownNews): void {
  process.send?.(news);
}
