import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What the bench asks of a server that watches its own event loop. */
export type GapsOrder = { readonly kind: 'watch' | 'report' };

/**
 * How long the loop stayed away from a timer that was due each millisecond, since `watch`. A loop with nothing to do shows
 * one millisecond, and the delay that the operating system adds.
 */
export type LoopGaps = { readonly p999Ms: number; readonly maxMs: number };

/** What such a server answers. */
export type GapsNews =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'watching' }
  | { readonly kind: 'gaps'; readonly gaps: LoopGaps };

/** Tells the bench the port, and obeys it from then on. Ends the process when the bench is gone. */
export function obeyGapsOrders(port: number): void {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  process.on('message', ({ kind }: GapsOrder) => {
    if (kind === 'watch') {
      histogram.reset();
      histogram.enable();
      send({ kind: 'watching' });
    } else {
      histogram.disable();
      const gaps = { p999Ms: histogram.percentile(99.9) / 1e6, maxMs: histogram.max / 1e6 };
      send({ kind: 'gaps', gaps });
    }
  });
  process.on('disconnect', () => process.exit());
  send({ kind: 'listening', port });
}

function send(news: GapsNews): void {
  process.send?.(news);
}
