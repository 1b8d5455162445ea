import t from 'tap';
import { within } from '../../src/concurrency/within.ts';

t.test('work that hangs gives false, work that ends true, and a fault is thrown', async (t) => {
  t.equal(await within(Promise.resolve(1), 60_000), true);
  t.equal(await within(new Promise(() => undefined), 1), false);
  await t.rejects(within(Promise.reject(new Error('broken')), 60_000), { message: 'broken' });
});
