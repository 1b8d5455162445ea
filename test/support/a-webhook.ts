import type { WebhookEvent, WebhookRollout } from '../../src/core/webhook.ts';
import { WEBHOOK_EVENTS, type Webhook } from '../../src/core/webhook.ts';

export function aWebhook(fields: Partial<Webhook> & { readonly url?: string } = {}): Webhook {
  const { url = 'http://127.0.0.1:9/x', ...rest } = fields;
  return {
    name: 'ops',
    type: 'event',
    address: { url },
    events: WEBHOOK_EVENTS,
    models: undefined,
    format: 'understudy',
    secretFiles: [],
    secretVariables: [],
    caFile: undefined,
    timeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    retries: 5,
    everyMs: 1,
    ...rest,
  };
}

export function aWebhookRollout(fields: Partial<WebhookRollout> = {}): WebhookRollout {
  return {
    id: 'fashion-2-1',
    model: 'fashion',
    stable: '1',
    candidate: '2',
    phase: 'rolledBack',
    from: 'progressing',
    step: undefined,
    decidedBy: ['errors'],
    ...fields,
  };
}

export function aWebhookEvent(fields: Partial<WebhookEvent> = {}): WebhookEvent {
  return {
    id: 'msg_1',
    event: 'rolledBack',
    atMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    record: 7,
    model: 'fashion',
    rollout: aWebhookRollout(),
    why: 'proven worse: errors',
    ...fields,
  };
}
