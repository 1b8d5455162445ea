import { Counter, type Registry } from 'prom-client';
import type { Plane } from '../core/entrance.ts';
import type { QuotaReason } from '../core/quota.ts';

/** Listeners for callers that are refused. Who they are, or say they are, is no label: their number has no bound. */
export type CallerListeners = {
  /** For quotas: each request that is over one; the model is the empty string for a name that there is none of. */
  readonly onOverQuota: (model: string, reason: QuotaReason) => void;
  /** For entrances: each caller that is refused, with a fixed word for the reason. */
  readonly onCallerRefused: (plane: Plane, reason: string) => void;
};

export function addCallerMetrics(registry: Registry): CallerListeners {
  const registers = [registry];
  const overQuota = new Counter({
    name: 'understudy_quota_refused_total',
    help: 'Requests over the quota of their caller for their model, by reason: rate or concurrency',
    labelNames: ['model', 'reason'],
    registers,
  });
  const refused = new Counter({
    name: 'understudy_auth_refused_total',
    help: 'Requests whose caller was refused, by port (http, grpc or admin) and reason: its credentials, or that it lacks the role',
    labelNames: ['plane', 'reason'],
    registers,
  });
  return {
    onOverQuota: (model, reason) => overQuota.inc({ model, reason }),
    onCallerRefused: (plane, reason) => refused.inc({ plane, reason }),
  };
}
