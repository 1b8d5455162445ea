import type { Clock } from '../core/clock.ts';
import { takesOpenMetrics } from './open-metrics.ts';
import type { Telemetry } from './telemetry.ts';

/** Scrapers come every few seconds at most. */
const KEPT_MS = 1_000;

type Page = ReturnType<Telemetry['page']>;
type Kept = { readonly page: Page; readonly atMs: number };

/**
 * The page of metrics for a port that others than its scrapers may reach: all that ask for one format within a second get the same
 * one, because each takes milliseconds in which nothing is served.
 */
export function sharedPages(
  page: Telemetry['page'],
  clock: Pick<Clock, 'monotonicMs'>,
): Telemetry['page'] {
  const kept = new Map<boolean, Kept>();
  return (accept) => {
    const format = takesOpenMetrics(accept);
    const nowMs = clock.monotonicMs();
    const known = kept.get(format);
    if (known !== undefined && nowMs - known.atMs < KEPT_MS) return known.page;
    const fresh = { page: page(accept), atMs: nowMs };
    kept.set(format, fresh);
    return fresh.page;
  };
}
