import t from 'tap';
import { type Release, releaseAll } from '../../src/app/release.ts';
import { openWebhooks } from '../../src/app/webhooks.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Webhook } from '../../src/core/webhook.ts';
import { aRollout, paused, progressing } from '../rollout/builders.ts';
import { aReceiver } from '../support/a-receiver.ts';
import { aWebhook } from '../support/a-webhook.ts';
import { until } from '../support/until.ts';

const CHANGE = {
  record: {
    index: 4,
    atMs: 9,
    body: { kind: 'rolloutLoaded', rolloutId: 'fashion-2-1', startedMs: 1 },
    previous: '0'.repeat(64),
    hash: 'ab'.repeat(32),
  },
  before: aRollout({ phase: progressing(0) }),
  after: aRollout({ phase: paused(1, 'no traffic') }),
} as const;

function opened(webhooks: readonly Webhook[], release: Release) {
  const results: string[] = [];
  const logged: LogEntry[] = [];
  const hooks = openWebhooks(
    {
      config: { webhooks },
      clock: systemClock,
      random: seededRandom(1),
      ledger: () => ({ kind: 'healthy' }),
      telemetry: () => ({ onWebhook: (hook, result) => void results.push(`${hook} ${result}`) }),
      otel: { traceparentOf: (id) => (id === 'fashion-2-1' ? '00-a-b-01' : undefined) },
      log: (entry) => void logged.push(entry),
    },
    release,
  );
  return { hooks, results, logged };
}

t.test('without webhooks the controller asks and tells nothing', async (t) => {
  const release: Release = [];
  const { hooks } = opened([], release);
  t.same(hooks.controller, {});
  t.same(release, []);
});

t.test('what is recorded is told, with its trace, and the end waits for it', async (t) => {
  const receiver = await aReceiver((response) => setTimeout(() => response.end(), 50));
  t.teardown(receiver.close);
  const release: Release = [];
  const { hooks, results } = opened([aWebhook({ url: receiver.url })], release);
  hooks.controller.onRecorded?.(CHANGE);
  t.same([...hooks.waiting()], [['ops', 1]]);
  await releaseAll(release);
  t.same(results, ['ops delivered']);
  t.match(receiver.received, [{ headers: { traceparent: '00-a-b-01' } }]);
  t.match(JSON.parse(receiver.received[0]?.body ?? '{}'), {
    type: 'paused',
    data: { why: 'no traffic', rollout: { step: { number: 2, of: 6, task: /^prove/ } } },
  });
});

t.test('a webhook that cannot be called is in the log as the gateway starts', async (t) => {
  const release: Release = [];
  const { logged } = opened([aWebhook({ secretFiles: ['/nowhere/hook.secret'] })], release);
  await until('it is said', () => logged.length === 1);
  t.match(logged, [{ level: 'error', message: /webhook ops cannot be called: .*ENOENT/ }]);
  await releaseAll(release);
});
