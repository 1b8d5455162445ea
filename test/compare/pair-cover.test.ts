import t from 'tap';
import { aComparison, aWindow } from './builders.ts';

t.test('pairs of one run that fail together count once, and are felt as they are', async (t) => {
  const window = aWindow();
  for (let at = 0; at < 8; at += 1) {
    window.addComparison(aComparison({ shadowRun: 1, candidateFailed: true, score: undefined }));
  }
  window.addComparison(aComparison({ shadowRun: 2 }));
  const { pairedFailures, pairedFelt } = window.snapshot();
  t.same(pairedFailures, { '0:0/1': 1, '1:0/1': 1 });
  t.same(pairedFelt, { pairs: 9, candidate: 8, reference: 0 });
});

t.test('of a run that fails, pairs that were fine before count, and none after', async (t) => {
  const window = aWindow();
  for (const candidateFailed of [false, false, true, false, true]) {
    window.addComparison(aComparison({ shadowRun: 1, candidateFailed }));
  }
  t.same(window.snapshot().pairedFailures, { '0:0/1': 2, '1:0/1': 1 });
});

t.test('live requests that overlap one that stable failed are part of its event', async (t) => {
  const window = aWindow();
  const live = (drawnMs: number, answeredMs: number, stableFailed: boolean) =>
    window.addComparison(
      aComparison({ drawnMs, answeredMs, shadowRun: drawnMs, stableFailed, score: undefined }),
    );
  live(0, 50, true);
  live(40, 60, true);
  live(45, 60, false);
  live(55, 70, true);
  t.same(window.snapshot().pairedFailures, { '0:1/1': 2 });
  t.equal(window.snapshot().pairedFelt?.reference, 3);
});

t.test('a failure of the candidate alone covers no other run', async (t) => {
  const window = aWindow();
  for (const shadowRun of [1, 2, 3]) {
    const times = { drawnMs: 0, answeredMs: 100 };
    window.addComparison(aComparison({ ...times, shadowRun, candidateFailed: true }));
  }
  t.same(window.snapshot().pairedFailures, { '1:0/1': 3 });
});
