import t from 'tap';
import { releaseAll } from '../../src/app/release.ts';

t.test('everything is released, last first, even if something fails on the way', async (t) => {
  const done: string[] = [];
  const step = (name: string, fault?: string) => async () => {
    done.push(name);
    if (fault !== undefined) throw new Error(fault);
  };
  const release = [step('ledger'), step('hosts', 'first'), step('controller', 'second')];
  await t.rejects(releaseAll(release), { message: 'second' });
  t.same(done, ['controller', 'hosts', 'ledger']);
});
