import { Gauge, type Registry } from 'prom-client';

/** The part of the ledger's state that metrics show. */
export type LedgerView = {
  readonly kind: 'healthy' | 'degraded';
  /** Rollouts that have ended while the ledger has not taken the record of it. */
  readonly unrecorded: number;
  readonly records: number;
  /** Of the files in its folder. */
  readonly bytes: number;
};

/** @param read the ledger's present state, called at each scrape. */
export function addLedgerMetrics(registry: Registry, read: () => LedgerView): void {
  new Gauge({
    name: 'understudy_ledger_degraded',
    help: 'Whether the ledger takes no records (1), which stops every rollout, or takes them (0)',
    registers: [registry],
    collect() {
      this.set(read().kind === 'degraded' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'understudy_ledger_unrecorded_rollouts',
    help: 'Ended rollouts whose end is not in the ledger yet and is lost if the process exits',
    registers: [registry],
    collect() {
      this.set(read().unrecorded);
    },
  });
  new Gauge({
    name: 'understudy_ledger_records',
    help: 'Records of the ledger since its beginning, archived ones included',
    registers: [registry],
    collect() {
      this.set(read().records);
    },
  });
  new Gauge({
    name: 'understudy_ledger_bytes',
    help: "Bytes of the ledger's files in its folder",
    registers: [registry],
    collect() {
      this.set(read().bytes);
    },
  });
}
