import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { settleAll } from '../../src/concurrency/settle-all.ts';

t.test('the first fault is thrown once all have ended', async (t) => {
  let ended = false;
  const slow = turn().then(() => {
    ended = true;
  });
  await t.rejects(settleAll([Promise.reject(new Error('at once')), slow]), { message: 'at once' });
  t.ok(ended);
  await t.resolves(settleAll([slow]));
});
