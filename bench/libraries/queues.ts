import { PriorityQueue } from '../../src/concurrency/priority-queue.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type Block, type Comparison, processorTimes } from './comparison.ts';
import type { Libraries } from './installed.ts';

const QUEUED = 1_000;
const LEVELS = 4;
const LEVEL_MS = 250;
const BATCH = 8;
const BATCHES = 2_000;

type Entry = {
  place: number;
  cancelled: boolean;
  readonly level: number;
  readonly arrivedMs: number;
};

/** What the comparison asks of a queue. */
type Queue = {
  readonly add: (entry: Entry) => void;
  readonly cancel: (entry: Entry) => void;
  /** The first in the order of ranks that is not cancelled. */
  readonly take: (count: number) => readonly Entry[];
};

/** A full queue with four priority levels from which a batch is taken while as many requests are cancelled. */
export async function compareQueues(libraries: Libraries): Promise<readonly Comparison[]> {
  const us = await processorTimes(
    {
      handWritten: driven(handWritten()),
      heapJs: driven(heapJs(libraries)),
      tinyQueue: driven(tinyQueue(libraries)),
    },
    BATCHES,
  );
  return [
    {
      operation: `${QUEUED} requests queued at ${LEVELS} levels: ${2 * BATCH} arrive, ${BATCH} are cancelled, ${BATCH} are taken as a batch`,
      handWritten: us.handWritten,
      library: `\`heap-js\` 2.7: ${us.heapJs}; \`tinyqueue\` 3.0, which cannot remove, so cancelled requests stay queued: ${us.tinyQueue}`,
    },
  ];
}

function handWritten(): Queue {
  const queue = new PriorityQueue<Entry>({
    levels: LEVELS,
    levelMs: LEVEL_MS,
    levelOf: ({ level }) => level,
    arrivedMs: ({ arrivedMs }) => arrivedMs,
  });
  const take = (count: number): readonly Entry[] => {
    const taken: Entry[] = [];
    for (const entry of queue) {
      if (taken.length === count) break;
      taken.push(entry);
      queue.delete(entry);
    }
    return taken;
  };
  return { add: (entry) => queue.add(entry), cancel: (entry) => void queue.delete(entry), take };
}

function heapJs({ Heap }: Libraries): Queue {
  const heap = new Heap<Entry>(byRank);
  return {
    add: (entry) => void heap.push(entry),
    cancel: (entry) => void heap.remove(entry),
    take: (count) => takenFrom(heap, count),
  };
}

function tinyQueue({ TinyQueue }: Libraries): Queue {
  const heap = new TinyQueue<Entry>([], byRank);
  return {
    add: (entry) => heap.push(entry),
    cancel: (entry) => {
      entry.cancelled = true;
    },
    take: (count) => takenFrom(heap, count),
  };
}

function takenFrom(heap: { pop(): Entry | undefined }, count: number): readonly Entry[] {
  const taken: Entry[] = [];
  while (taken.length < count) {
    const entry = heap.pop();
    if (entry === undefined) break;
    if (!entry.cancelled) taken.push(entry);
  }
  return taken;
}

function byRank(one: Entry, other: Entry): number {
  return rankOf(one) - rankOf(other);
}

function rankOf({ level, arrivedMs }: Entry): number {
  return arrivedMs + (level - 1) * LEVEL_MS;
}

/** Keeps the queue at its length, and takes so many batches out of it. */
function driven(queue: Queue): Block {
  const random = seededRandom(7);
  const waiting = new Map<number, Entry>();
  let next = 0;
  const arrive = (count: number): void => {
    for (const end = next + count; next < end; next += 1) {
      const level = 1 + random.integer(LEVELS);
      const entry = { place: 0, cancelled: false, level, arrivedMs: next };
      waiting.set(next, entry);
      queue.add(entry);
    }
  };
  /** One of the newer half, of which few have been taken. */
  const cancelOne = (): void => {
    for (;;) {
      const entry = waiting.get(next - 1 - random.integer(QUEUED / 2));
      if (entry === undefined) continue;
      waiting.delete(entry.arrivedMs);
      queue.cancel(entry);
      return;
    }
  };
  arrive(QUEUED);
  return (batches) => {
    for (let batch = 0; batch < batches; batch += 1) {
      arrive(2 * BATCH);
      for (let at = 0; at < BATCH; at += 1) cancelOne();
      for (const { arrivedMs } of queue.take(BATCH)) waiting.delete(arrivedMs);
    }
    return undefined;
  };
}
