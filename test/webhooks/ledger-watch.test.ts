import t from 'tap';
import type { WebhookEvent } from '../../src/core/webhook.ts';
import { LedgerWatch } from '../../src/webhooks/ledger-watch.ts';

t.test('a ledger that degrades and recovers is told once each', async (t) => {
  const told: WebhookEvent[] = [];
  let isFull = false;
  const watch = new LedgerWatch(
    () =>
      isFull
        ? { kind: 'degraded', cause: 'full', why: 'no space', sinceMs: 5 }
        : { kind: 'healthy' },
    (event) => told.push(event),
  );
  watch.look(1);
  isFull = true;
  watch.look(6);
  watch.look(7);
  isFull = false;
  watch.look(8);
  watch.look(9);
  t.match(told, [
    { id: 'msg_ledgerDegraded_5', event: 'ledgerDegraded', atMs: 5, why: 'full: no space' },
    { id: 'msg_ledgerHealthy_5', event: 'ledgerHealthy', atMs: 8 },
  ]);
  t.equal(told.length, 2);
});
