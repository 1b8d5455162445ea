import { Gauge, type Registry } from 'prom-client';

/** The part of the ledger's state that metrics show. */
export type LedgerView = { readonly kind: 'healthy' | 'degraded' };

/** @param read the ledger's state at the time of the look. */
export function addLedgerMetrics(registry: Registry, read: () => LedgerView): void {
  new Gauge({
    name: 'understudy_ledger_degraded',
    help: '1 while the ledger takes no records, so that no rollout moves on; else 0',
    registers: [registry],
    collect() {
      this.set(read().kind === 'degraded' ? 1 : 0);
    },
  });
}
