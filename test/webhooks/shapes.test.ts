import t from 'tap';
import { WEBHOOK_EVENTS, type WebhookEvent } from '../../src/core/webhook.ts';
import { bodyOf } from '../../src/webhooks/shapes.ts';
import { aWebhookEvent, aWebhookRollout } from '../support/a-webhook.ts';

const LONG = `<!channel> & ${'<x>'.repeat(2_000)}`;

function parsed(format: 'understudy' | 'slack' | 'alertmanager', event: WebhookEvent): unknown {
  const body = bodyOf(format, event);
  return body === undefined ? undefined : JSON.parse(body);
}

t.test('our own shape has type, timestamp and data', async (t) => {
  t.match(parsed('understudy', aWebhookEvent()), {
    type: 'rolledBack',
    timestamp: '2026-01-02T03:04:05.000Z',
    data: {
      model: 'fashion',
      rollout: { id: 'fashion-2-1', candidate: '2', decidedBy: ['errors'] },
      why: 'proven worse: errors',
      record: 7,
    },
  });
});

type Block = {
  readonly type: string;
  readonly text?: { readonly type: string; readonly text: string };
  readonly elements?: readonly { readonly type: string; readonly text: string }[];
};

t.test('every event is a message that Slack takes', async (t) => {
  for (const event of WEBHOOK_EVENTS) {
    const rollout = aWebhookRollout({ candidate: LONG, step: { number: 1, of: 2, task: LONG } });
    for (const given of [
      aWebhookEvent({ event, rollout, why: LONG }),
      aWebhookEvent({ event, rollout: undefined, model: undefined, why: '' }),
    ]) {
      const message = parsed('slack', given) as { text: string; blocks: readonly Block[] };
      t.ok(message.text.length > 0 && message.text.length <= 3_000);
      t.same(
        message.blocks.map(({ type }) => type),
        ['header', 'section', 'context'],
      );
      const [header, section, context] = message.blocks;
      t.equal(header?.text?.type, 'plain_text');
      t.ok((header?.text?.text.length ?? 0) <= 150);
      for (const text of [section?.text, ...(context?.elements ?? [])]) {
        t.equal(text?.type, 'mrkdwn');
        t.ok((text?.text.length ?? 0) > 0 && (text?.text.length ?? 0) <= 3_000);
        t.notMatch(text?.text, /[<>]/, 'no mention and no link');
      }
    }
  }
});

type Alert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
};

function alertsOf(event: WebhookEvent): readonly Alert[] {
  return (parsed('alertmanager', event) ?? []) as readonly Alert[];
}

t.test('every alert is one that Alertmanager takes', async (t) => {
  const events = WEBHOOK_EVENTS.flatMap((event) =>
    (['paused', 'progressing'] as const).map((from) => {
      const phase = event === 'paused' ? 'paused' : 'progressing';
      return aWebhookEvent({ event, rollout: aWebhookRollout({ from, phase }) });
    }),
  );
  const alerts = events.flatMap(alertsOf);
  t.ok(alerts.length > 5);
  for (const { labels, annotations, startsAt, endsAt, ...more } of alerts) {
    t.same(more, {});
    t.ok(labels['alertname']);
    for (const [name, value] of [...Object.entries(labels), ...Object.entries(annotations)]) {
      t.match(name, /^[a-zA-Z_][a-zA-Z0-9_]*$/);
      t.ok(value.length > 0, `${name} has a value`);
    }
    t.ok(Date.parse(startsAt) < Date.parse(endsAt), 'it starts before it ends');
  }
});

t.test('a pause is an alert, and what leaves it resolves the same one', async (t) => {
  const at = { atMs: Date.UTC(2026, 0, 2) };
  const paused = aWebhookRollout({ phase: 'paused', from: 'progressing' });
  const [opened] = alertsOf(aWebhookEvent({ ...at, event: 'paused', rollout: paused }));
  const resumed = aWebhookRollout({ phase: 'progressing', from: 'paused' });
  const [resolved, ...more] = alertsOf(
    aWebhookEvent({ ...at, event: 'progressing', rollout: resumed }),
  );
  t.same(resolved?.labels, opened?.labels);
  t.ok(Date.parse(opened?.endsAt ?? '') > at.atMs);
  t.equal(Date.parse(resolved?.endsAt ?? ''), at.atMs);
  t.same(more, []);
});

t.test('what is no alert is not sent to Alertmanager', async (t) => {
  const rollout = aWebhookRollout({ phase: 'progressing', from: 'progressing' });
  t.equal(bodyOf('alertmanager', aWebhookEvent({ event: 'progressing', rollout })), undefined);
});
