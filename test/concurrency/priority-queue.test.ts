import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { PriorityQueue } from '../../src/concurrency/priority-queue.ts';

type Entry = { place: number; readonly level: number; readonly arrivedMs: number };

const LEVEL_MS = 100;

const arrivals: fc.Arbitrary<readonly Entry[]> = fc
  .array(fc.record({ level: fc.integer({ min: 1, max: 3 }), gapMs: fc.nat(80) }))
  .map((steps) => {
    let arrivedMs = 0;
    return steps.map(({ level, gapMs }) => {
      arrivedMs += gapMs;
      return { place: 0, level, arrivedMs };
    });
  });

function queueOf(levels: number, entries: readonly Entry[]): PriorityQueue<Entry> {
  const queue = new PriorityQueue<Entry>({
    levels,
    levelMs: LEVEL_MS,
    levelOf: ({ level }) => level,
    arrivedMs: ({ arrivedMs }) => arrivedMs,
  });
  for (const entry of entries) queue.add(entry);
  return queue;
}

const rankOf = ({ level, arrivedMs }: Entry): number => arrivedMs + (level - 1) * LEVEL_MS;

t.test('entries come in the order of arrival and level, each once', async () => {
  fc.assert(
    fc.property(arrivals, (entries) => {
      const found = [...queueOf(3, entries)];
      const expected = [...entries].sort((a, b) => rankOf(a) - rankOf(b) || a.level - b.level);
      assert.deepEqual(found, expected);
      assert.equal(new Set(found).size, entries.length);
    }),
  );
});

t.test('with one level or none the order is that of arrival', async () => {
  fc.assert(
    fc.property(arrivals, fc.constantFrom(0, 1), (entries, levels) => {
      assert.deepEqual([...queueOf(levels, entries)], entries);
    }),
  );
});

t.test('the oldest is the first to have arrived, on any level', async () => {
  fc.assert(
    fc.property(arrivals, (entries) => {
      const queue = queueOf(3, entries);
      for (const entry of entries) {
        assert.equal(queue.oldest()?.arrivedMs, entry.arrivedMs);
        assert(queue.delete(entry) && !queue.delete(entry));
      }
      assert.equal(queue.oldest(), undefined);
    }),
  );
});
