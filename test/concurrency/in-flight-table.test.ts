import fc from 'fast-check';
import t from 'tap';
import { Slots } from '../../src/concurrency/in-flight-table.ts';

type Thing = { readonly name: number };

t.test('slots give back under a number what was put there, once', async (t) => {
  const slots = new Slots<Thing>();
  const number = slots.add({ name: 7 });
  t.equal(slots.size, 1);
  t.same(slots.remove(number), { name: 7 });
  t.equal(slots.remove(number), undefined);
  t.equal(slots.size, 0);
});

t.test(
  'a number that is not in flight any more does not stand for what came after it',
  async (t) => {
    const slots = new Slots<Thing>();
    const gone = slots.add({ name: 0 });
    slots.remove(gone);
    // More than there are places, so that each place is taken again.
    const later = Array.from({ length: 1_000 }, (_, name) => slots.add({ name }));
    t.equal(slots.remove(gone), undefined);
    t.equal(new Set([gone, ...later]).size, 1_001);
  },
);

t.test('what stays for long is neither lost nor in the way', async (t) => {
  const slots = new Slots<Thing>();
  const slow = slots.add({ name: -1 });
  for (let name = 0; name < 10_000; name += 1) slots.remove(slots.add({ name }));
  t.same(slots.entries(), [[slow, { name: -1 }]]);
  t.same(slots.remove(slow), { name: -1 });
});

t.test('slots hold what a map would, in the order in which it came', async () => {
  const step = fc.oneof(fc.constant('add' as const), fc.nat(2_000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2_000, size: 'max' }), (steps) => {
      const slots = new Slots<Thing>();
      const expected = new Map<number, Thing>();
      let name = 0;
      for (const step of steps) {
        const numbers = [...expected.keys()];
        const number = step === 'add' ? undefined : numbers[step % Math.max(1, numbers.length)];
        if (number === undefined) {
          name += 1;
          expected.set(slots.add({ name }), { name });
        } else {
          const [found, wanted] = [slots.remove(number), expected.get(number)];
          expected.delete(number);
          if (found?.name !== wanted?.name) return false;
        }
        if (slots.size !== expected.size) return false;
      }
      return JSON.stringify(slots.entries()) === JSON.stringify([...expected]);
    }),
    { numRuns: 30 },
  );
});

t.test(
  'numbers that another gave out find their values, in no more places than it has',
  async (t) => {
    const [theirs, ours] = [new Slots<Thing>(), new Slots<Thing>()];
    // One that stays, so that the others come round to it, and more at once than there are places in the beginning.
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
