import t from 'tap';
import { SENT_ID_CHARACTERS_MAX, sentIdOf } from '../../src/protocol/sent-id.ts';

t.test('an id of a megabyte, and an empty one, name no request', async (t) => {
  t.equal(sentIdOf('x'.repeat(1_048_576)), undefined);
  t.equal(sentIdOf(''), undefined);
  t.equal(sentIdOf(undefined), undefined);
  const longest = 'x'.repeat(SENT_ID_CHARACTERS_MAX);
  t.equal(sentIdOf(longest), longest);
});
