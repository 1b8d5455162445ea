import t from 'tap';
import { RecentRuns } from '../../src/compare/recent-runs.ts';
import { aComparison, aWindow } from './builders.ts';

/** Two runs whose pairs come by turns, as those that wait for the anchor do. */
const BY_TURNS = [1, 2, 1, 2, 1, 2, 1, 2];

t.test('two failed runs are two events, in whichever order their pairs come', async (t) => {
  const window = aWindow();
  for (const shadowRun of BY_TURNS) {
    window.addComparison(aComparison({ shadowRun, candidateFailed: true, score: undefined }));
  }
  t.same(window.snapshot().pairedFailures, { '1:0/1': 2 });
});

t.test('two runs are timed once each, in whichever order their pairs come', async (t) => {
  const window = aWindow();
  for (const shadowRun of BY_TURNS) {
    const latency = { candidateMs: 900, twinMs: 1, shadowRun };
    const late = { candidate: true, twin: false, shadowRun };
    window.addComparison(aComparison({ shadowRun, latency, late }));
  }
  const { pairedLatency, pairedTimeouts } = window.snapshot();
  t.same(pairedLatency, { pairs: 2, slower: 2 });
  t.same(pairedTimeouts?.twinned, { '1:0/1': 2 });
});

t.test('the oldest runs are forgotten', async (t) => {
  const runs = new RecentRuns();
  for (let run = 0; run < 5_000; run += 1) runs.add(run);
  runs.add(undefined);
  t.same(
    [undefined, 0, 903, 904, 4_999].map((run) => runs.has(run)),
    [false, false, false, true, true],
  );
});
