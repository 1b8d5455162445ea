import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import t from 'tap';

import { aHeldHost } from '../../gateway/a-held-host.ts';
import { aGateway } from '../../gateway/builders.ts';
import { aSession, framed } from './a-session.ts';
import { aClient, aConversation, anInfer, encoded } from './builders.ts';

t.test('a new connection is served, and the one that is idle longest is closed', async (t) => {
  const { port, call } = await aConversation(t, { limits: { connectionsMax: 2 } });
  const [first, second] = [await aSession(t, port), await aSession(t, port)];
  const goodbye = once(first.session, 'goaway');
  const { error } = await call('ModelInfer', anInfer());
  t.equal(error, undefined);
  t.equal((await goodbye)[0], 0, 'without blame');
  t.notOk(second.session.closed);
});

t.test('where all connections are at work a new one is refused', async (t) => {
  const { host, first } = aHeldHost();
  const gateway = aGateway({ hosts: { '1': host } });
  const { port } = await aConversation(t, {
    gateway,
    limits: { connectionsMax: 1, lingerMsMax: 100 },
  });
  const busy = await aSession(t, port);
  busy.open('ModelInfer').end(framed(encoded(anInfer())));
  await first;
  const client = aClient(port);
  t.teardown(() => client.close());
  const { error } = await client.call('ServerLive');
  t.equal(error?.code, status.UNAVAILABLE);
  t.notOk(busy.session.closed);
});
