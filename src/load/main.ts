/**
 * The load generator as a process of its own, so that it shares neither an event loop nor a heap with what it loads. Started
 * with `fork` by `LoadProcess`; answers each order with one report, in turn, and ends when its parent lets go of it.
 */
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import type { LoadNews, LoadOrder } from './load-process.ts';
import { runLoad } from './run-load.ts';

process.on('message', (order: LoadOrder) => {
  void obey(order).then((news) => process.send?.(news));
});
process.on('disconnect', () => process.exit());

async function obey(order: LoadOrder): Promise<LoadNews> {
  const requests = order.requestsBase64.map((text) => Buffer.from(text, 'base64'));
  let sent = 0;
  const next = (): Uint8Array | undefined => {
    const bytes = requests[sent % requests.length];
    sent += 1;
    return bytes;
  };
  try {
    const report = await runLoad(
      { ...order, next },
      { clock: systemClock, random: seededRandom(order.seed) },
    );
    return { kind: 'report', report };
  } catch (error) {
    return { kind: 'failed', message: messageOf(error) };
  }
}
