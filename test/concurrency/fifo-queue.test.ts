import fc from 'fast-check';
import t from 'tap';
import { Line } from '../../src/concurrency/fifo-queue.ts';

type Guest = { place: number; readonly name: number };

t.test('a line holds what a set would, in the order in which it came', async () => {
  const step = fc.oneof(fc.constant('add' as const), fc.nat(2_000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2_000, size: 'max' }), (steps) => {
      const line = new Line<Guest>();
      const expected = new Set<Guest>();
      const leave = (guest: Guest): boolean =>
        expected.delete(guest) && line.has(guest) && line.delete(guest) && !line.has(guest);
      const come = (guest: Guest): boolean => {
        line.add(guest);
        return expected.add(guest).size === line.size;
      };
      const isSame = steps.every((step, name) => {
        const leaver = step === 'add' ? undefined : [...expected][step % (expected.size + 1)];
        const isRight = leaver === undefined ? come({ place: 0, name }) : leave(leaver);
        return isRight && line.size === expected.size && line.first === [...expected][0];
      });
      const found = [...line];
      return isSame && [...expected].every((one, at) => found[at] === one);
    }),
    { numRuns: 30 },
  );
});

t.test('who leaves while the line is read is not met', async (t) => {
  const guests = [0, 1, 2, 3].map((name): Guest => ({ place: 0, name }));
  const line = new Line<Guest>();
  for (const guest of guests) line.add(guest);
  const met: number[] = [];
  for (const guest of line) {
    met.push(guest.name);
    line.delete(guest);
    if (guest.name === 0 && guests[2] !== undefined) line.delete(guests[2]);
  }
  t.same(met, [0, 1, 3]);
  t.equal(line.first, undefined);
});

t.test('a stranger does not leave in the place of another', async (t) => {
  const line = new Line<Guest>();
  const guest = { place: 0, name: 1 };
  line.add(guest);
  t.equal(line.delete({ place: 0, name: 2 }), false);
  t.same([...line], [guest]);
});
