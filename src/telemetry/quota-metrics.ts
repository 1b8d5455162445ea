import { Counter, type Registry } from 'prom-client';
import type { QuotaReason } from '../core/quota.ts';

/**
 * Requests that were over a quota. The caller is no label: their number has no bound.
 *
 * @returns a listener for each of them; the model is the empty string for a name that there is none of.
 */
export function addQuotaMetrics(registry: Registry): (model: string, reason: QuotaReason) => void {
  const refused = new Counter({
    name: 'understudy_quota_refused_total',
    help: 'Requests over the quota of their caller for their model, by reason: rate or concurrency',
    labelNames: ['model', 'reason'],
    registers: [registry],
  });
  return (model, reason) => refused.inc({ model, reason });
}
