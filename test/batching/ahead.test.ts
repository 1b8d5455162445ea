import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { aBatcher, aTaughtBatcher, aWork, doubled, nextTurn } from './builders.ts';

t.test('only a batch that cannot grow is handed to a replica that is still at work', async (t) => {
  const { runs, ask } = await aTaughtBatcher({ rowsMax: 2 });
  ask(aWork([1, 2]));
  await nextTurn();
  ask(aWork([3]));
  await nextTurn();
  t.equal(runs.length, 1, 'one row of two may still get company');
  ask(aWork([4]));
  await nextTurn();
  t.strictSame(
    runs.map(({ rows }) => rows),
    [2, 2],
  );
});

t.test('a request that runs alone need not wait for company', async (t) => {
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
