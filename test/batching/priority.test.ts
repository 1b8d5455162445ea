import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type Entry, LEVEL_MS, Queue } from '../../src/batching/queue.ts';
import { HandClock } from '../../src/core/clock.ts';
import { aBatcher, aWork, nextTurn, valuesFrom } from './builders.ts';

type Arrival = { readonly priority: number; readonly enqueuedMs: number };

function anEntry({ priority, enqueuedMs }: Arrival): Entry {
  const work = aWork([1], { priority });
  const settle = { resolve: () => undefined, reject: () => undefined };
  const standing = { rows: 1, bytes: 4, alone: false, settled: false, place: 0 };
  return { work, plan: [0], enqueuedMs, ...standing, ...settle };
}

const LEVELS = 4;
const DEFAULT_LEVEL = 3;
const unbounded = { requestsMax: 1e6, bytesMax: 1e9 };
const withLevels = {
  ...unbounded,
  priorityLevels: LEVELS,
  defaultPriority: DEFAULT_LEVEL,
};

const levelOf = ({ work: { priority } }: Entry): number =>
  priority >= 1 && priority <= LEVELS ? priority : DEFAULT_LEVEL;
const lastTurnMs = (entry: Entry): number => entry.enqueuedMs + (levelOf(entry) - 1) * LEVEL_MS;

/** Requests in order of arrival; some name no level, or one that there is not. */
const arrivals: fc.Arbitrary<Entry[]> = fc
  .array(fc.record({ priority: fc.nat(LEVELS + 2), gapMs: fc.nat(100) }), { maxLength: 60 })
  .map((steps) => {
    let enqueuedMs = 0;
    return steps.map(({ priority, gapMs }) => {
      enqueuedMs += gapMs;
      return anEntry({ priority, enqueuedMs });
    });
  });

function queueOf(entries: readonly Entry[], limits = withLevels): Queue {
  const queue = new Queue(limits);
  for (const entry of entries) queue.push(entry, 1);
  return queue;
}

t.test('every entry is visited once, in the order that is fixed on arrival', async () => {
  fc.assert(
    fc.property(arrivals, (entries) => {
      const found = [...queueOf(entries)];
      const expected = [...entries].sort(
        (a, b) => lastTurnMs(a) - lastTurnMs(b) || levelOf(a) - levelOf(b),
      );
      assert.deepEqual(found.map(lastTurnMs), expected.map(lastTurnMs));
      assert.equal(new Set(found).size, entries.length);
    }),
  );
});

t.test('within a level the order is that of arrival', async () => {
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 1, max: LEVELS }), (entries, level) => {
      const inLevel = (entry: Entry) => levelOf(entry) === level;
      assert.deepEqual([...queueOf(entries)].filter(inLevel), entries.filter(inLevel));
    }),
  );
});

t.test(
  'no request is overtaken by one that comes a level of time later for each level',
  async () => {
    fc.assert(
      fc.property(arrivals, (entries) => {
        const found = [...queueOf(entries)];
        found.forEach((entry, place) => {
          for (const before of found.slice(0, place)) {
            assert(before.enqueuedMs <= lastTurnMs(entry));
          }
        });
      }),
    );
  },
);

// More urgent requests than can be served keep coming; the last one of the least urgent level is served all the same.
t.test('no level starves another, however many urgent requests come', async (t) => {
  const queue = new Queue(withLevels);
  const patient = anEntry({ priority: LEVELS, enqueuedMs: 0 });
  queue.push(patient, 1);
  let nowMs = 0;
  for (; queue.first !== patient && nowMs < 10_000; nowMs += 10) {
    for (let come = 0; come < 3; come += 1) {
      queue.push(anEntry({ priority: 1, enqueuedMs: nowMs }), 1);
    }
    if (queue.first !== undefined) queue.delete(queue.first);
  }
  // 225 urgent requests came before its turn was over, and one is served in 10 ms.
  t.equal(queue.first, patient);
  t.ok(nowMs <= 3 * (LEVELS - 1) * LEVEL_MS + 20, `its turn came after ${nowMs} ms`);
});

t.test('without levels the order is that of arrival, for any priority', async () => {
  fc.assert(
    fc.property(arrivals, fc.constantFrom(0, 1), (entries, priorityLevels) => {
      const limits = { ...unbounded, priorityLevels, defaultPriority: priorityLevels };
      assert.deepEqual([...queueOf(entries, limits)], entries);
    }),
  );
});

t.test(
  'an entry that leaves is removed from its level, before and during an iteration',
  async () => {
    fc.assert(
      fc.property(arrivals, fc.infiniteStream(fc.boolean()), (entries, coins) => {
        const queue = queueOf(entries);
        const gone = new Set(entries.filter(() => coins.next().value === true));
        for (const entry of gone) assert(queue.delete(entry) && !queue.delete(entry));
        assert.deepEqual(
          [...queue],
          [...queueOf(entries)].filter((entry) => !gone.has(entry)),
        );
        for (const entry of queue) {
          assert(!gone.has(entry));
          gone.add(entry);
          queue.delete(entry);
          const other = queue.first;
          if (other !== undefined && coins.next().value === true) {
            gone.add(other);
            queue.delete(other);
          }
        }
        assert.equal(queue.size, 0);
        assert.equal(queue.rows, 0);
      }),
    );
  },
);

t.test('the oldest is the first to have come, on any level', async () => {
  fc.assert(
    fc.property(arrivals, (entries) => {
      assert.equal(queueOf(entries).oldestMs, entries[0]?.enqueuedMs);
    }),
  );
});

t.test('the urgent leave the batcher first, and share a run with those after them', async (t) => {
  const { runs, ask } = aBatcher({ rowsMax: 2, queue: withLevels });
  ask(aWork([0]));
  await nextTurn();
  const usual = [ask(aWork([1])), ask(aWork([2]))];
  const urgent = ask(aWork([3], { priority: 1 }));
  runs[0]?.end();
  await nextTurn();
  await nextTurn();
  runs[1]?.end();
  const [batchOfUrgent, batchOfFirst] = await Promise.all([urgent.answer, usual[0]?.answer]);
  t.equal(batchOfUrgent.batch.id, batchOfFirst?.batch.id);
  t.strictSame(await valuesFrom(urgent.answer), [6]);
  await nextTurn();
  runs[2]?.end();
  t.strictSame(await valuesFrom(usual[1]?.answer ?? Promise.reject()), [4]);
});

t.test(
  'a request that waits for a fuller batch does not wait longer because of urgent ones',
  async (t) => {
    const clock = new HandClock();
    const { runs, ask } = aBatcher({ clock, delayMs: 20, queue: withLevels });
    ask(aWork([1], { priority: 2 }));
    await nextTurn();
    t.equal(runs.length, 0, 'waits for a fuller batch');
    clock.advance(20);
    ask(aWork([2], { priority: 1 }));
    await nextTurn();
    t.strictSame(
      runs.map(({ rows }) => rows),
      [2],
    );
  },
);
