import t from 'tap';
import { deferred } from '../../src/concurrency/deferred.ts';

t.test('a deferred promise settles once, as it was settled first', async (t) => {
  const [kept, broken] = [deferred<number>(), deferred<number>()];
  kept.resolve(1);
  kept.resolve(2);
  broken.reject(new Error('no'));
  t.equal(await kept.promise, 1);
  await t.rejects(broken.promise, { message: 'no' });
});
