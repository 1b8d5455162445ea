import fc from 'fast-check';
import t from 'tap';
import { canonicalJson } from '../../../src/ledger/canonical-json.ts';
import { changeBetween, changedBy } from '../../../src/rollout/history/json-change.ts';

t.test('a change has what was added or changed, and the names of what is gone', (t) => {
  const before = { same: { a: 1 }, blocks: { 1: [1, 0], 2: [2, 0] }, gone: 1, was: null };
  const now = { same: { a: 1 }, blocks: { 1: [1, 0], 2: [2, 1], 3: [1, 0] }, was: 0 };
  const change = changeBetween(before, now);
  t.same(change, { blocks: { 2: [2, 1], 3: [1, 0] }, was: 0, '-': ['gone'] });
  t.same(changedBy(before, change), now);
  t.same(changeBetween(now, now), {});
  t.end();
});

/** Few keys, so that both sides share some; `__proto__` is a key like any other. */
const key = fc.constantFrom('a', 'b', '10', '', '__proto__', 'constructor');
const { tree } = fc.letrec<{ tree: unknown; object: Record<string, unknown> }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.integer(),
    fc.constantFrom(null, true, '', 'text', undefined),
    fc.array(fc.integer(), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
}));
const object = fc.dictionary(key, tree, { maxKeys: 5 });

t.test('always: a value that is changed by the change is the other value', async () => {
  fc.assert(
    fc.property(object, object, (before, now) => {
      const change = JSON.parse(canonicalJson(changeBetween(before, now))) as Record<
        string,
        unknown
      >;
      const asRead = JSON.parse(canonicalJson(before)) as Record<string, unknown>;
      return canonicalJson(changedBy(asRead, change)) === canonicalJson(now);
    }),
    { numRuns: 2_000 },
  );
});

t.test('always: the keys stand in the order of a record that has the value whole', async () => {
  const asRead = (value: object) => JSON.parse(canonicalJson(value)) as Record<string, unknown>;
  fc.assert(
    fc.property(object, object, (before, now) => {
      const changed = changedBy(asRead(before), asRead(changeBetween(before, now)));
      return JSON.stringify(changed) === JSON.stringify(asRead(now));
    }),
    { numRuns: 2_000 },
  );
  const [shares, more] = [
    { '2500:2500': 1, '500:500': 1 },
    { '2500:2500': 1, '5000:5000': 1, '500:500': 1 },
  ];
  t.same(Object.keys(changedBy(shares, changeBetween(shares, more))), Object.keys(more));
});

t.test('the name that stands for removed keys is refused as a key', (t) => {
  t.throws(() => changeBetween({}, { '-': 1 }), /expected no key "-", found one/);
  t.throws(
    () => changedBy({}, { '-': 'a' }),
    /expected names of removed keys under "-", found "a"/,
  );
  t.end();
});
