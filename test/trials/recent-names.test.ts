import t from 'tap';
import { RecentNames } from '../../src/trials/recent-names.ts';

t.test('a name is new once, until newer ones have taken its place', async (t) => {
  const names = new RecentNames(2);
  t.same(
    ['a', 'a', 'b', 'a'].map((name) => names.add(name)),
    [true, false, true, false],
  );
  t.ok(names.add('c'));
  t.ok(names.add('a'), 'forgotten');
  t.notOk(names.add('c'));
});
