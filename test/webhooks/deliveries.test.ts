import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { WebhookResult } from '../../src/core/webhook.ts';
import { Deliveries, WAITING_MAX } from '../../src/webhooks/deliveries.ts';
import { Endpoint } from '../../src/webhooks/endpoint.ts';
import { SmallFiles } from '../../src/webhooks/small-files.ts';
import { type Answering, aReceiver, type Received } from '../support/a-receiver.ts';
import { aWebhook } from '../support/a-webhook.ts';
import { until } from '../support/until.ts';

async function deliveriesTo(
  t: Test,
  answer: Answering,
  { timeoutMs = 20_000, ...fields }: { retries?: number; timeoutMs?: number } = {},
) {
  const receiver = await aReceiver(answer);
  t.teardown(receiver.close);
  const results: WebhookResult[] = [];
  const logged: LogEntry[] = [];
  const hook = aWebhook({ url: `${receiver.url}/T0/SECRET`, timeoutMs });
  const variables = {};
  const files = new SmallFiles();
  const deliveries = new Deliveries({
    hook: 'ops',
    endpoint: new Endpoint({ hook, clock: systemClock, variables, version: '1', files }),
    clock: systemClock,
    random: seededRandom(1),
    retries: 5,
    firstWaitMs: 2,
    onResult: (result) => results.push(result),
    log: (entry) => logged.push(entry),
    ...fields,
  });
  t.teardown(() => deliveries.close(0));
  return { deliveries, results, logged, received: receiver.received };
}

const message = (id: string) => ({ id, body: `{"id":"${id}"}`, traceparent: undefined });

function idsOf(received: readonly Received[]): readonly unknown[] {
  return received.map(({ headers }) => headers['webhook-id']);
}

t.test('what is not taken is sent again as the same, and what follows waits', async (t) => {
  const answer: Answering = (response, at) => response.writeHead(at < 2 ? 503 : 204).end();
  const { deliveries, results, received, logged } = await deliveriesTo(t, answer);
  deliveries.offer(message('a'));
  deliveries.offer(message('b'));
  t.equal(deliveries.waiting(), 2);
  await until('both are delivered', () => results.length === 2);
  t.same(results, ['delivered', 'delivered']);
  t.same(idsOf(received), ['a', 'a', 'a', 'b']);
  t.equal(deliveries.waiting(), 0);
  t.same(
    logged.map(({ level }) => level),
    ['warn', 'info'],
    'one line as it fails, one as it works again',
  );
});

t.test('a refusal is final, and the next has its turn', async (t) => {
  const answer: Answering = (response, at) => response.writeHead(at === 0 ? 410 : 204).end();
  const { deliveries, results, received } = await deliveriesTo(t, answer);
  deliveries.offer(message('a'));
  deliveries.offer(message('b'));
  await until('both have ended', () => results.length === 2);
  t.same(results, ['refused', 'delivered']);
  t.same(idsOf(received), ['a', 'b']);
});

t.test('a receiver that hangs is given up after its retries', async (t) => {
  const { deliveries, results, received, logged } = await deliveriesTo(t, () => undefined, {
    timeoutMs: 500,
    retries: 1,
  });
  deliveries.offer(message('a'));
  await until('it is given up', () => results.length === 1);
  t.same(results, ['failed']);
  t.equal(received.length, 2);
  t.match(logged, [{ message: 'webhook ops does not take events: no answer within 500 ms' }]);
  t.notMatch(JSON.stringify(logged), /SECRET/);
});

t.test('a full queue drops the oldest that is not on its way, and counts it', async (t) => {
  const held: (() => void)[] = [];
  const { deliveries, results, received } = await deliveriesTo(t, (response, at) => {
    if (at === 0) held.push(() => response.end());
    else response.end();
  });
  for (let at = 0; at < WAITING_MAX + 2; at += 1) deliveries.offer(message(`${at}`));
  t.same(results, ['dropped', 'dropped']);
  t.equal(deliveries.waiting(), WAITING_MAX);
  await until('the first is on its way', () => held.length === 1);
  held[0]?.();
  await until('the rest is delivered', () => results.length === WAITING_MAX + 2);
  t.same(idsOf(received).slice(0, 3), ['0', '3', '4']);
});

t.test('at the end what waits is sent without a wait', async (t) => {
  const answer: Answering = (response, at) => response.writeHead(at === 0 ? 500 : 204).end();
  const { deliveries, results, received } = await deliveriesTo(t, answer);
  deliveries.offer(message('a'));
  deliveries.offer(message('b'));
  await deliveries.close(20_000);
  t.same(results, ['failed', 'delivered']);
  t.same(idsOf(received), ['a', 'b']);
  t.equal(deliveries.waiting(), 0);
});

t.test('the end waits no longer than it may for a receiver that hangs', async (t) => {
  const { deliveries, results } = await deliveriesTo(t, () => undefined);
  for (const id of ['a', 'b', 'c']) deliveries.offer(message(id));
  await deliveries.close(50);
  await until('all are counted', () => results.length === 3);
  t.same(results, ['failed', 'dropped', 'dropped']);
});
