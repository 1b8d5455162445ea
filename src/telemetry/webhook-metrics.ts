import { Counter, Gauge, type Registry } from 'prom-client';
import type { WebhookResult } from '../core/webhook.ts';

/**
 * @param waiting events that wait, by webhook; called at each scrape.
 * @returns a listener for what became of deliveries and questions.
 */
export function addWebhookMetrics(
  registry: Registry,
  waiting: () => ReadonlyMap<string, number>,
): (hook: string, result: WebhookResult) => void {
  const deliveries = new Counter({
    name: 'understudy_webhook_deliveries_total',
    help: 'Events for webhooks by what became of them: delivered, refused, failed, or dropped because too many waited or the gateway stopped; and questions: confirmed, declined or failed',
    labelNames: ['hook', 'result'],
    registers: [registry],
  });
  new Gauge({
    name: 'understudy_webhook_waiting_events',
    help: 'Events that wait for a webhook',
    labelNames: ['hook'],
    registers: [registry],
    collect() {
      for (const [hook, count] of waiting()) this.set({ hook }, count);
    },
  });
  return (hook, result) => deliveries.inc({ hook, result });
}
