import t from 'tap';
import { SlowTally } from '../../src/compare/slow-tally.ts';
import { HandClock } from '../../src/core/clock.ts';
import type { Evidence } from '../../src/core/evidence.ts';
import type { LiveObservation } from '../../src/core/messages.ts';
import { aLive } from './builders.ts';

const EVEN = { candidateBp: 500, referenceBp: 500 };
const START_MS = 1_700_000_000_000;

type SlowEvidence = Pick<Evidence, 'slowBlocks'>;

/** A tally whose threshold is known: 5 ms is in time, 50 ms is slow. It has counted nothing yet, but for one request in the second before. */
function warmTally(from: SlowEvidence = {}): SlowTally {
  const tally = new SlowTally(
    { slowQuantile: 0.5, blockMs: 1_000, clock: new HandClock(START_MS) },
    from,
  );
  const past = { side: 'reference', exposure: { candidateBp: 500, referenceBp: 9_500 } } as const;
  for (let at = 0; at < 20; at += 1) tally.add(aLive({ ...past, startedMs: -900, endedMs: -895 }));
  return tally;
}

function seen(
  observations: readonly Partial<LiveObservation>[],
  from?: SlowEvidence,
): SlowEvidence {
  const tally = warmTally(from);
  for (const over of observations) tally.add(aLive({ exposure: EVEN, ...over }));
  return tally.snapshot();
}

const [FIRST, SECOND] = [`1000:${START_MS / 1_000}`, `1000:${START_MS / 1_000 + 1}`] as const;

t.test('a request counts in the block in which it began, however late it ended', async (t) => {
  const { slowBlocks } = seen([
    { startedMs: 0, endedMs: 5 },
    { startedMs: 900, endedMs: 2_900 },
    { side: 'reference', startedMs: 950, endedMs: 955 },
    { side: 'reference', startedMs: 1_100, endedMs: 1_150 },
  ]);
  t.same(slowBlocks, { [FIRST]: [2, 1, 1, 0], [SECOND]: [0, 0, 1, 1] });
});

t.test('nothing counts before a threshold is known, and nothing at unlike shares', async (t) => {
  const clock = new HandClock(START_MS);
  const cold = new SlowTally({ slowQuantile: 0.99, blockMs: 1_000, clock }, {});
  cold.add(aLive({ exposure: EVEN }));
  t.same(cold.snapshot(), { slowBlocks: {} });
  const unlike = { candidateBp: 500, referenceBp: 9_500 };
  t.same(seen([{ exposure: unlike }]), { slowBlocks: {} });
});

t.test('a time-out is slow, a failure is neither slow nor in time', async (t) => {
  const { slowBlocks } = seen([
    { endedMs: 1_000, failure: 'deadline_exceeded' },
    { endedMs: 50, failure: 'runtime_failed' },
    { endedMs: 1, failure: 'overloaded' },
    { endedMs: 1, failure: 'invalid_input' },
  ]);
  t.same(slowBlocks, { [FIRST]: [1, 1, 0, 0] });
});

t.test('who hangs up on a slow answer is counted, who hangs up before is not', async (t) => {
  const { slowBlocks } = seen([
    { endedMs: 500, failure: 'cancelled' },
    { endedMs: 1, failure: 'cancelled' },
  ]);
  t.same(slowBlocks, { [FIRST]: [1, 1, 0, 0] });
});

t.test('after a restart a block that was cut goes on', async (t) => {
  const before = seen([{ endedMs: 50 }]);
  t.same(seen([{ endedMs: 5 }], before), { slowBlocks: { [FIRST]: [2, 1, 0, 0] } });
});

/** A clock whose wall time can be set, as an administrator or a time server does. */
function settable(startWallMs: number) {
  const clock = new HandClock(startWallMs);
  let aheadMs = 0;
  return {
    clock: { monotonicMs: clock.monotonicMs, wallMs: () => clock.wallMs() + aheadMs },
    advance: (ms: number) => clock.advance(ms),
    setAhead: (ms: number) => {
      aheadMs = ms;
    },
  };
}

/** One slow request of each arm a second, seven seconds long; the wall clock stands an hour ahead in the fourth and fifth. */
function whileSet(from: SlowEvidence = {}): SlowEvidence {
  const time = settable(START_MS);
  const tally = new SlowTally({ slowQuantile: 0.5, blockMs: 1_000, clock: time.clock }, from);
  for (let at = 0; at < 20; at += 1) {
    tally.add(aLive({ side: 'reference', startedMs: -900, endedMs: -895 }));
  }
  for (let second = 0; second < 7; second += 1) {
    time.setAhead(second === 3 || second === 4 ? 3_600_000 : 0);
    const startedMs = second * 1_000;
    for (const side of ['candidate', 'reference'] as const) {
      tally.add(aLive({ side, exposure: EVEN, startedMs, endedMs: startedMs + 50 }));
    }
    time.advance(1_000);
  }
  return tally.snapshot();
}

t.test(
  'a wall clock that is set ahead and back again splits no block and joins none',
  async (t) => {
    const { slowBlocks = {} } = whileSet();
    const keys = Array.from({ length: 7 }, (_, at) => `1000:${START_MS / 1_000 + at}`);
    t.same(
      Object.fromEntries(keys.map((key) => [key, slowBlocks[key]])),
      Object.fromEntries(keys.map((key) => [key, [1, 1, 1, 1]])),
    );
  },
);

t.test('after a restart that finds the clock behind, time continues in new blocks', async (t) => {
  const ahead = START_MS / 1_000 + 3_600;
  const { slowBlocks = {} } = whileSet({ slowBlocks: { [`1000:${ahead}`]: [9, 0, 9, 0] } });
  const keys = Array.from({ length: 8 }, (_, at) => `1000:${ahead + at}`);
  t.same(Object.keys(slowBlocks).sort(), keys);
  t.same(slowBlocks[`1000:${ahead}`], [9, 0, 9, 0], 'the block of before has ended');
});
