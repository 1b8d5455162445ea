import t from 'tap';

import { connectionsFitting, descriptorLimit } from '../../src/process/descriptors.ts';

t.test('no more connections are taken than the process may open', async (t) => {
  const messages: string[] = [];
  const log = ({ message }: { message: string }): void => void messages.push(message);
  t.equal(connectionsFitting(4_096, log, 1_024), 384);
  t.match(messages, [/expected at most 384 .* found 4096/]);
  t.equal(connectionsFitting(100, log, 1_024), 100);
  t.equal(connectionsFitting(100, log, 64), 8, 'a few in any case');
  t.equal(messages.length, 2);
});

t.test('what the system allows is known, or there is no limit', async (t) => {
  t.ok(descriptorLimit() > 0);
});
