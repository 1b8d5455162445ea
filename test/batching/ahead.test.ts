import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { aBatcher, aTaughtBatcher, aWork, doubled, nextTurn } from './builders.ts';

t.test('only a batch that cannot grow is handed to a replica that is still at work', async (t) => {
  const { runs, ask } = await aTaughtBatcher({ rowsMax: 2 });
  ask(aWork([1, 2]));
  await nextTurn();
  ask(aWork([3]));
  await nextTurn();
  t.equal(runs.length, 1, 'a run of one row of two may still be joined');
  ask(aWork([4]));
  await nextTurn();
  t.strictSame(
    runs.map(({ rows }) => rows),
    [2, 2],
  );
});

t.test('a request that runs alone does not wait for others', async (t) => {
  const { runs, ask } = await aTaughtBatcher({ joins: () => false });
  ask(aWork([1]));
  ask(aWork([2]));
  ask(aWork([3]));
  await nextTurn();
  t.equal(runs.length, 2, 'one runs, one is ahead, one waits');
});

t.test('what waits behind a run that is under way is late sooner', async (t) => {
  const clock = new HandClock();
  let isBusy = false;
  const { ask } = aBatcher({
    clock,
    joins: () => false,
    free: () => (isBusy ? 0 : 1),
    ahead: () => 1,
    run: (...of) => {
      if (isBusy) return new Promise(() => undefined);
      clock.advance(30);
      return Promise.resolve({ runs: doubled(...of), takenMs: 30 });
    },
  });
  const askWithin = (leftMs: number) =>
    ask(aWork([1], { deadlineMs: clock.monotonicMs() + leftMs })).answer;
  for (let taught = 0; taught < 6; taught += 1) await askWithin(1_000);
  isBusy = true;
  void askWithin(1_000);
  await nextTurn();
  clock.advance(5);
  // 25 ms until the run before it ends, and 30 for its own.
  await t.rejects(askWithin(50), { code: 'deadline_exceeded' });
});

// Eight callers of a model that takes 300 ms, with a second each: as many are answered as one replica can.
t.test('a replica under overload runs only what it can answer in time', async (t) => {
  const [RUN_MS, DEADLINE_MS, CALLERS] = [300, 1_000, 8];
  const clock = new HandClock();
  const queued: (() => void)[] = [];
  let inHand = 0;
  const { ask } = aBatcher({
    clock,
    joins: () => false,
    free: () => (inHand === 0 ? 1 : 0),
    ahead: () => (inHand === 1 ? 1 : 0),
    run: (...of) => {
      inHand += 1;
      return new Promise((resolve) => {
        queued.push(() => {
          inHand -= 1;
          resolve({ runs: doubled(...of), takenMs: RUN_MS });
        });
      });
    },
  });
  const ends = { inTime: 0, late: 0 };
  let isOver = false;
  const caller = (): void => {
    if (isOver) return;
    const deadlineMs = clock.monotonicMs() + DEADLINE_MS;
    ask(aWork([1], { deadlineMs })).answer.then(
      () => {
        ends[clock.monotonicMs() <= deadlineMs ? 'inTime' : 'late'] += 1;
        caller();
      },
      () => setImmediate(caller),
    );
  };
  for (let each = 0; each < CALLERS; each += 1) caller();
  for (let run = 0; run < 100; run += 1) {
    for (let turn = 0; turn < 4; turn += 1) await nextTurn();
    clock.advance(RUN_MS);
    queued.shift()?.();
  }
  isOver = true;
  t.ok(ends.inTime >= 90, `${ends.inTime} of 100 runs were answered in time`);
  t.ok(ends.late <= 6, `${ends.late} were late`);
});
