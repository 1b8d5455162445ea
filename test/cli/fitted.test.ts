import t from 'tap';
import { fitted } from '../../src/cli/fitted.ts';

const TEXT = ['one', 'two', 'three', 'four'].join('\n');

t.test('a live view shows its start, and how much there is no room for', async (t) => {
  t.equal(fitted(TEXT, 5), TEXT);
  t.equal(fitted(TEXT, 4), 'one\ntwo\n... 2 more lines');
  t.equal(fitted(TEXT, 3), 'one\n... 3 more lines');
  for (const rows of [2, 1, 0]) t.equal(fitted(TEXT, rows), 'one');
});
