import { Gauge, type Registry } from 'prom-client';

/** The part of the ledger's state that metrics show. */
export type LedgerView = {
  readonly kind: 'healthy' | 'degraded';
  /** Ends of rollouts that were carried out and that the ledger has not taken. */
  readonly unrecorded: number;
};

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
  new Gauge({
    name: 'understudy_ledger_unrecorded',
    help: 'Rollouts that have ended and whose end the ledger has not taken yet: lost if the process ends before it does',
    registers: [registry],
    collect() {
      this.set(read().unrecorded);
    },
  });
}
