/**
 * Loaded first by a gateway that is to be slower than it is, to show that the gate sees it: burns processor time for each request,
 * HTTP or gRPC, on the thread that serves it. `?ms=2` at its address says how much.
 */
import { subscribe } from 'node:diagnostics_channel';
import http2 from 'node:http2';
import { systemClock } from '../src/core/clock.ts';

const burnMs = Number(new URL(import.meta.url).searchParams.get('ms'));
if (!(burnMs > 0)) throw new Error('expected ?ms= with the milliseconds to burn');

function burn(): void {
  const untilMs = systemClock.monotonicMs() + burnMs;
  while (systemClock.monotonicMs() < untilMs);
}

subscribe('http.server.request.start', burn);
// There is no such channel for HTTP/2 on all versions of Node. The gRPC server calls this function of the module.
const { createServer } = http2;
http2.createServer = ((...args: Parameters<typeof createServer>) =>
  createServer(...args).on('stream', burn)) as typeof createServer;
