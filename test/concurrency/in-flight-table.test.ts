import fc from 'fast-check';
import t from 'tap';
import { InFlightTable } from '../../src/concurrency/in-flight-table.ts';

type Thing = { readonly name: number };

t.test('a table gives back under a number what was put there, once', async (t) => {
  const table = new InFlightTable<Thing>();
  const number = table.add({ name: 7 });
  t.equal(table.size, 1);
  t.same(table.remove(number), { name: 7 });
  t.equal(table.remove(number), undefined);
  t.equal(table.size, 0);
});

t.test(
  'a number that is not in flight any more does not stand for what came after it',
  async (t) => {
    const table = new InFlightTable<Thing>();
    const gone = table.add({ name: 0 });
    table.remove(gone);
    // More than there are places, so that each place is taken again.
    const later = Array.from({ length: 1_000 }, (_, name) => table.add({ name }));
    t.equal(table.remove(gone), undefined);
    t.equal(new Set([gone, ...later]).size, 1_001);
  },
);

t.test('what stays for long is neither lost nor in the way', async (t) => {
  const table = new InFlightTable<Thing>();
  const slow = table.add({ name: -1 });
  for (let name = 0; name < 10_000; name += 1) table.remove(table.add({ name }));
  t.same(table.entries(), [[slow, { name: -1 }]]);
  t.same(table.remove(slow), { name: -1 });
});

t.test('a table holds what a map would, in the order in which it came', async () => {
  const step = fc.oneof(fc.constant('add' as const), fc.nat(2_000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2_000, size: 'max' }), (steps) => {
      const table = new InFlightTable<Thing>();
      const expected = new Map<number, Thing>();
      let name = 0;
      for (const step of steps) {
        const numbers = [...expected.keys()];
        const number = step === 'add' ? undefined : numbers[step % Math.max(1, numbers.length)];
        if (number === undefined) {
          name += 1;
          expected.set(table.add({ name }), { name });
        } else {
          const [found, wanted] = [table.remove(number), expected.get(number)];
          expected.delete(number);
          if (found?.name !== wanted?.name) return false;
        }
        if (table.size !== expected.size) return false;
      }
      return JSON.stringify(table.entries()) === JSON.stringify([...expected]);
    }),
    { numRuns: 30 },
  );
});

t.test(
  'numbers that another gave out find their values, in no more places than it has',
  async (t) => {
    const [theirs, ours] = [new InFlightTable<Thing>(), new InFlightTable<Thing>()];
    // One that stays, so that the others wrap around to it, and more together than the initial capacity.
    const numbers = [theirs.add({ name: -1 })];
    ours.put(numbers[0] ?? 0, { name: -1 });
    const mistaken: number[] = [];
    for (let name = 0; name < 5_000; name += 1) {
      const number = theirs.add({ name });
      numbers.push(number);
      ours.put(number, { name });
      const leaver = numbers.length > 700 ? numbers.splice(1 + (name % 699), 1)[0] : undefined;
      if (leaver === undefined) continue;
      if (ours.remove(leaver)?.name !== theirs.remove(leaver)?.name) mistaken.push(leaver);
    }
    t.same(mistaken, []);
    t.same(ours.entries(), theirs.entries());
    t.same(ours.get(numbers[0] ?? 0), { name: -1 });
    t.throws(() => ours.put(numbers[0] ?? 0, { name: 0 }), /expected a new number/);
  },
);
