/**
 * Loaded first by a gateway that is to be slower than it is, to show that the gate sees it: burns processor time for each HTTP request
 * on the thread that serves it.
 */
import { subscribe } from 'node:diagnostics_channel';
import { systemClock } from '../src/core/clock.ts';

/** Ten times what the gateway itself needs: it has to be seen on a machine that runs other tests at the same time. */
const BURN_MS = 0.5;

subscribe('http.server.request.start', () => {
  const untilMs = systemClock.monotonicMs() + BURN_MS;
  while (systemClock.monotonicMs() < untilMs);
});
