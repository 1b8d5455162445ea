import fc from 'fast-check';
import t from 'tap';
import { FifoQueue } from '../../src/concurrency/fifo-queue.ts';

type Entry = { place: number; readonly name: number };

t.test('a FIFO queue holds what a set would, in the order in which it came', async () => {
  const step = fc.oneof(fc.constant('add' as const), fc.nat(2_000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2_000, size: 'max' }), (steps) => {
      const queue = new FifoQueue<Entry>();
      const expected = new Set<Entry>();
      const leave = (entry: Entry): boolean =>
        expected.delete(entry) && queue.has(entry) && queue.delete(entry) && !queue.has(entry);
      const come = (entry: Entry): boolean => {
        queue.add(entry);
        return expected.add(entry).size === queue.size;
      };
      const isSame = steps.every((step, name) => {
        const leaver = step === 'add' ? undefined : [...expected][step % (expected.size + 1)];
        const isRight = leaver === undefined ? come({ place: 0, name }) : leave(leaver);
        return isRight && queue.size === expected.size && queue.first === [...expected][0];
      });
      const found = [...queue];
      return isSame && [...expected].every((one, at) => found[at] === one);
    }),
    { numRuns: 30 },
  );
});

t.test('an entry that leaves while the queue is iterated is skipped', async (t) => {
  const entries = [0, 1, 2, 3].map((name): Entry => ({ place: 0, name }));
  const queue = new FifoQueue<Entry>();
  for (const entry of entries) queue.add(entry);
  const met: number[] = [];
  for (const entry of queue) {
    met.push(entry.name);
    queue.delete(entry);
    if (entry.name === 0 && entries[2] !== undefined) queue.delete(entries[2]);
  }
  t.same(met, [0, 1, 3]);
  t.equal(queue.first, undefined);
});

t.test('an entry of another queue does not leave in the place of one of this', async (t) => {
  const queue = new FifoQueue<Entry>();
  const entry = { place: 0, name: 1 };
  queue.add(entry);
  t.equal(queue.delete({ place: 0, name: 2 }), false);
  t.same([...queue], [entry]);
});
