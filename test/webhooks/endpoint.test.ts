import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { Endpoint } from '../../src/webhooks/endpoint.ts';
import { SmallFiles } from '../../src/webhooks/small-files.ts';
import { makeFifo } from '../support/a-pipe.ts';
import { aReceiver } from '../support/a-receiver.ts';
import { aWebhook } from '../support/a-webhook.ts';

const MESSAGE = { id: 'msg_1', body: '{}', traceparent: undefined };
const SIGNAL = new AbortController().signal;

function anEndpoint(
  hook: ReturnType<typeof aWebhook>,
  variables: Readonly<Record<string, string>> = {},
): Endpoint {
  const clock = new HandClock(1_700_000_000_999);
  return new Endpoint({ hook, clock, variables, version: '1.2.3', files: new SmallFiles() });
}

t.test('a request has the headers of Standard Webhooks, our name and the trace', async (t) => {
  const receiver = await aReceiver();
  t.teardown(receiver.close);
  const variables = { UNDERSTUDY_WEBHOOK_OPS: 'a-secret-of-some-length' };
  const hook = aWebhook({ url: receiver.url, secretVariables: ['UNDERSTUDY_WEBHOOK_OPS'] });
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await anEndpoint(hook, variables).send({ ...MESSAGE, traceparent }, SIGNAL);
  const digest = createHmac('sha256', 'a-secret-of-some-length')
    .update('msg_1.1700000000.{}')
    .digest('base64');
  t.match(receiver.received[0]?.headers, {
    'content-type': 'application/json',
    'user-agent': 'understudy/1.2.3',
    'webhook-id': 'msg_1',
    'webhook-timestamp': '1700000000',
    'webhook-signature': `v1,${digest}`,
    traceparent,
  });
});

t.test('address and secrets are read again for each request', async (t) => {
  const [one, two] = [await aReceiver(), await aReceiver()];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const folder = t.testdir();
  const [url, secret] = [join(folder, 'url'), join(folder, 'secret')];
  const hook = aWebhook({ address: { file: url }, secretFiles: [secret] });
  const endpoint = anEndpoint(hook);
  writeFileSync(url, `${one.url}\n`);
  writeFileSync(secret, 'the-first-secret-here\n');
  await endpoint.send(MESSAGE, SIGNAL);
  writeFileSync(url, two.url);
  writeFileSync(secret, 'the-second-secret-here\n');
  await endpoint.send(MESSAGE, SIGNAL);
  const [first, second] = [one, two].map(({ received }) => received[0]?.headers);
  t.ok(first?.['webhook-signature'] && second?.['webhook-signature']);
  t.not(first?.['webhook-signature'], second?.['webhook-signature']);
});

t.test('nothing is sent where a secret, the address or the authority cannot be read', async (t) => {
  const receiver = await aReceiver();
  t.teardown(receiver.close);
  const folder = t.testdir({ short: 'short', huge: 'x'.repeat(20_000), text: 'no address' });
  const pipe = join(folder, 'pipe');
  makeFifo(pipe);
  const wrong = [
    { secretFiles: [join(folder, 'none')] },
    { secretFiles: [join(folder, 'short')] },
    { secretFiles: [join(folder, 'huge')] },
    { secretFiles: [pipe] },
    { secretFiles: ['/dev/zero'] },
    { secretVariables: ['UNDERSTUDY_WEBHOOK_NONE'] },
    { address: { file: join(folder, 'text') } },
    { caFile: folder },
  ];
  for (const fields of wrong) {
    const endpoint = anEndpoint(aWebhook({ url: receiver.url, ...fields }));
    t.ok(await endpoint.problem(), JSON.stringify(fields));
    await t.rejects(endpoint.send(MESSAGE, SIGNAL));
  }
  t.same(receiver.received, []);
});
