import t from 'tap';
import { parseExamplesQuery, parseUnit } from '../../src/config/examples-request.ts';

t.test('a list of examples has an order and a limit, and a slice of attributes', async (t) => {
  t.same(parseExamplesQuery({}), {
    ...{ rollout: undefined, slice: undefined },
    ...{ order: 'largest', limit: 20 },
  });
  const asked = { rollout: 'latest', slice: 'tone=dark,device=phone', order: 'random', limit: '5' };
  const slice = { tone: 'dark', device: 'phone' };
  t.same(parseExamplesQuery(asked), { ...asked, slice, limit: 5 });
});

t.test('what is no query is refused with what was expected', async (t) => {
  t.throws(
    () => parseExamplesQuery({ limit: '0' }),
    /limit: expected a whole number from 1 to 500/,
  );
  t.throws(() => parseExamplesQuery({ limit: ['1', '2'] }), /limit: expected/);
  t.throws(
    () => parseExamplesQuery({ order: 'best' }),
    /order: expected largest, random or newest/,
  );
  t.throws(() => parseExamplesQuery({ slice: 'dark' }), /slice: expected attributes and values/);
});

t.test('a unit that is too long is refused without being repeated', async (t) => {
  t.equal(parseUnit({ unit: 'ann' }), 'ann');
  t.throws(() => parseUnit({}), /unit: expected a unit/);
  try {
    parseUnit({ unit: 'mallory'.repeat(200) });
    t.fail('it was taken');
  } catch (error) {
    t.match(String(error), /at most 1024 characters/);
    t.notMatch(String(error), 'mallory');
  }
});
