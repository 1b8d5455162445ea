import fc from 'fast-check';
import t from 'tap';
import type { LiveEnd, LiveObservation } from '../../src/core/messages.ts';
import { LiveOrder } from '../../src/trials/live-order.ts';

const exposure = { candidateBp: 500, referenceBp: 9_500 };

function drawnTo(unit: string) {
  return { unit, side: 'candidate', exposure } as const;
}

function endAt(endedMs: number): LiveEnd {
  return { startedMs: 0, endedMs, failure: undefined };
}

function anOrder() {
  const seen: LiveObservation[] = [];
  return { order: new LiveOrder((drawn, end) => seen.push({ ...drawn, ...end })), seen };
}

t.test('requests are handed on in the order of assignment, not of their ends', async () => {
  const shuffled = fc
    .nat(30)
    .chain((n) => fc.shuffledSubarray([...Array(n).keys()], { minLength: n, maxLength: n }));
  fc.assert(
    fc.property(shuffled, (endings) => {
      const { order, seen } = anOrder();
      for (const n of endings.keys()) order.assigned(`r${n}`, drawnTo(`u${n}`));
      for (const n of endings) order.ended(`r${n}`, endAt(n));
      const expected = [...endings.keys()].map((n) => ({ ...drawnTo(`u${n}`), ...endAt(n) }));
      return order.size === 0 && JSON.stringify(seen) === JSON.stringify(expected);
    }),
  );
});

t.test('a request under way holds back those assigned after it, and no other', async (t) => {
  const { order, seen } = anOrder();
  for (const id of ['a', 'b', 'c']) order.assigned(id, drawnTo(id));
  order.ended('c', endAt(3));
  order.ended('a', endAt(9));
  t.same(
    seen.map(({ unit }) => unit),
    ['a'],
  );
  t.equal(order.size, 2);
});

t.test('a request that ends twice, or was assigned before, counts for none', async (t) => {
  const { order, seen } = anOrder();
  order.ended('earlier', endAt(1));
  order.assigned('a', drawnTo('a'));
  order.ended('a', endAt(2));
  order.ended('a', endAt(3));
  t.equal(seen.length, 1);
});

t.test('an error in what takes the requests loses none that come after', async (t) => {
  const units: (string | undefined)[] = [];
  const order = new LiveOrder(({ unit }) => {
    units.push(unit);
    throw new Error(`no ${unit}`);
  });
  for (const id of ['a', 'b']) order.assigned(id, drawnTo(id));
  order.ended('b', endAt(1));
  t.throws(() => order.ended('a', endAt(2)), { message: 'no a' });
  t.same(units, ['a', 'b']);
  t.equal(order.size, 0);
});
