import fc from 'fast-check';
import t from 'tap';
import { OrderedMap } from '../../src/core/ordered-map.ts';

const operations = fc.array(
  fc.tuple(fc.constantFrom('set', 'delete', 'oldest'), fc.integer({ min: 0, max: 120 })),
  { maxLength: 600 },
);

type Both = { readonly ours: OrderedMap<number, number>; readonly map: Map<number, number> };

/** False where the two differ afterwards. */
function agree({ ours, map }: Both, kind: string, [key, value]: [number, number]): boolean {
  const [oldest = key] = map.keys();
  if (kind === 'set') {
    ours.set(key, value);
    map.set(key, value);
  } else {
    const gone = kind === 'delete' ? key : oldest;
    if (ours.delete(gone) !== map.delete(gone)) return false;
  }
  const [first] = map.keys();
  return ours.oldest?.[0] === first && ours.size === map.size && ours.get(key) === map.get(key);
}

t.test('it has what a Map has, in the same order, for any operations', async (t) => {
  fc.assert(
    fc.property(operations, (done) => {
      const both: Both = { ours: new OrderedMap(), map: new Map() };
      const isAlike = done.every(([kind, key], at) => agree(both, kind, [key, at]));
      return isAlike && JSON.stringify([...both.ours]) === JSON.stringify([...both.map]);
    }),
  );
  t.pass('none differs');
});

t.test('entries that leave while it is iterated are skipped', async (t) => {
  const map = new OrderedMap<number, string>();
  for (const key of [1, 2, 3, 4]) map.set(key, `${key}`);
  const seen: number[] = [];
  for (const [key] of map) {
    seen.push(key);
    map.delete(key);
    map.delete(3);
  }
  t.same(seen, [1, 2, 4]);
  t.equal(map.oldest, undefined);
});
