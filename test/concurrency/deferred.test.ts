import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';

t.test('a deferred promise ends as it is told to, once', async (t) => {
  const [kept, broken] = [deferred<number>(), deferred<number>()];
  kept.resolve(1);
  kept.resolve(2);
  broken.reject(new Error('no'));
  t.equal(await kept.promise, 1);
  await t.rejects(broken.promise, { message: 'no' });
});
