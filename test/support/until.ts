import { setTimeout as pause } from 'node:timers/promises';

/** Between two looks; a condition that can be looked at more often costs the machine more than it gains. */
const LOOK_MS = 25;

/**
 * Looks again and again until there is something to see (anything but undefined and false), and gives that. Rejects with
 * `what` was awaited once `withinMs` is over.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 40_000,
): Promise<T> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > untilMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(LOOK_MS);
  }
}
