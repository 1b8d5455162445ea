import type { WebhookEvent, WebhookFormat } from '../core/webhook.ts';
import { alertsOf } from './alertmanager.ts';
import { slackMessageOf } from './slack.ts';

/** The body that a format makes of an event, as JSON; undefined: it has none for it. */
export function bodyOf(format: WebhookFormat, event: WebhookEvent): string | undefined {
  switch (format) {
    case 'understudy':
      return JSON.stringify(plainOf(event));
    case 'slack':
      return JSON.stringify(slackMessageOf(event));
    case 'alertmanager': {
      const alerts = alertsOf(event);
      return alerts.length === 0 ? undefined : JSON.stringify(alerts);
    }
  }
}

/** As Standard Webhooks recommends: the type, the moment, and what it is about. */
function plainOf({ event, atMs, model, rollout, why, record }: WebhookEvent) {
  return {
    type: event,
    timestamp: new Date(atMs).toISOString(),
    data: { model, rollout, why, record },
  };
}
